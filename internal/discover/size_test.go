package discover

import (
	"math"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

const ome = `<?xml version="1.0" encoding="UTF-8"?><!-- a comment --><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0"><Pixels DimensionOrder="XYZCT" PhysicalSizeX="0.0046" PhysicalSizeY="0.0046" PhysicalSizeZ="45" PhysicalSizeZUnit="nm" SizeX="1024"/></Image></OME>`

func TestSizeOf(t *testing.T) {
	for _, tt := range []struct {
		what string
		m    tiff.Metadata
		want VoxelSize
	}{
		{"nothing", tiff.Metadata{}, VoxelSize{}},
		{"OME", tiff.Metadata{Description: ome, Resolution: [2]float64{72, 72}, ResolutionUnit: tiff.Inch}, VoxelSize{4.6, 4.6, 45, "its OME-XML"}},
		{"OME without z", tiff.Metadata{Description: `<OME><Pixels PhysicalSizeX="4" PhysicalSizeXUnit="nm" PhysicalSizeY="4" PhysicalSizeYUnit="nm"/></OME>`}, VoxelSize{4, 4, 0, "its OME-XML"}},
		{"OME in pixels", tiff.Metadata{Description: `<OME><Pixels PhysicalSizeX="1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1"/></OME>`}, VoxelSize{}},
		{"OME that is cut off", tiff.Metadata{Description: ome[:90]}, VoxelSize{}},
		{"ImageJ", tiff.Metadata{Description: "ImageJ=1.53t\nunit=nm\nspacing=50.0\nloop=false\n", Resolution: [2]float64{.217391, .217391}, ResolutionUnit: tiff.NoUnit}, VoxelSize{4.6, 4.6, 50, "ImageJ's metadata"}},
		{"ImageJ in microns", tiff.Metadata{Description: "ImageJ=1.53t\nunit=\\u00B5m\nspacing=-2\n", Resolution: [2]float64{4, 4}}, VoxelSize{250, 250, 2000, "ImageJ's metadata"}},
		{"ImageJ without a scale", tiff.Metadata{Description: "ImageJ=1.53t\n", Resolution: [2]float64{72, 72}, ResolutionUnit: tiff.Inch}, VoxelSize{}},
		{"a screen's resolution", tiff.Metadata{Resolution: [2]float64{72, 72}, ResolutionUnit: tiff.Inch}, VoxelSize{}},
		{"a printer's", tiff.Metadata{Resolution: [2]float64{600, 600}, ResolutionUnit: tiff.Inch}, VoxelSize{}},
		{"a microscope's", tiff.Metadata{Resolution: [2]float64{2.5e6, 2.5e6}, ResolutionUnit: tiff.Centimeter}, VoxelSize{4, 4, 0, "its resolution"}},
		{"no unit", tiff.Metadata{Resolution: [2]float64{2.5e6, 2.5e6}, ResolutionUnit: tiff.NoUnit}, VoxelSize{}},
	} {
		if got := sizeOf(tt.m); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
}

// FuzzSize: a size is one of a voxel, whatever a file says, or none.
func FuzzSize(f *testing.F) {
	f.Add(ome, .2, .2, 3)
	f.Add("ImageJ=1.53t\nunit=nm\nspacing=50.0\n", .217391, .217391, 1)
	f.Add("<OME><Pixels PhysicalSizeX=\"NaN\" PhysicalSizeY=\"1e400\"/></OME>", 1., 1., 2)
	f.Add("<!DOCTYPE a [<!ENTITY b \"c\">]><OME>&b;</OME>", 72., 72., 2)
	f.Fuzz(func(t *testing.T, text string, x, y float64, unit int) {
		s := sizeOf(tiff.Metadata{Description: text, Resolution: [2]float64{x, y}, ResolutionUnit: unit})
		for _, v := range []float64{s.X, s.Y, s.Z} {
			if math.IsNaN(v) || v < 0 || v > coarsest || v > 0 && v < finest {
				t.Errorf("%q, %v×%v of %d is %v", text, x, y, unit, s)
			}
		}
		if (s.From == "") != (s.X == 0) || (s.X == 0) != (s.Y == 0) {
			t.Errorf("%q, %v×%v of %d is %v", text, x, y, unit, s)
		}
	})
}
