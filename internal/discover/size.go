package discover

import (
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/tiff"
)

// A VoxelSize is how large a voxel is, in nanometers. What is not known is 0.
type VoxelSize struct {
	X, Y, Z float64
	From    string // who says so; "" if nobody does
}

// In is s in one of BOSS's units.
func (s VoxelSize) In(unit string) VoxelSize {
	nm := map[string]float64{"micrometers": 1e3, "millimeters": 1e6, "centimeters": 1e7}[unit]
	if nm == 0 {
		return s
	}
	s.X, s.Y, s.Z = rounded(s.X/nm), rounded(s.Y/nm), rounded(s.Z/nm)
	return s
}

// sizeOf finds the size of a voxel in what a file says of itself. OME-XML has it
// in words, ImageJ as pixels in a unit of its own, and a plain TIFF as pixels in
// an inch or a centimeter, which most programs set to that of a screen or a printer.
func sizeOf(m tiff.Metadata) VoxelSize {
	if s := sizeOfOME(m.Description); s.From != "" {
		return s
	}
	if s := sizeOfImageJ(m); s.From != "" {
		return s
	}
	return sizeOfTags(m)
}

// finest and coarsest bound what is believed, in nanometers: an atom, and a
// pixel that is no microscope's. printed is the coarsest that a plain TIFF's
// resolution is believed for, 1270 pixels in an inch.
const (
	finest   = 0.01
	coarsest = 1e6
	printed  = 20e3
)

// believable is s without what it cannot be.
func (s VoxelSize) believable(most float64) VoxelSize {
	for _, v := range []*float64{&s.X, &s.Y, &s.Z} {
		if !(*v >= finest && *v <= most) {
			*v = 0
		}
		*v = rounded(*v)
	}
	if s.X == 0 || s.Y == 0 {
		return VoxelSize{}
	}
	return s
}

// rounded is v to five digits: files have it as fractions, such as 217391/1000000
// pixels in a nanometer for 4.6 nanometers.
func rounded(v float64) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64)
	if err != nil {
		return 0
	}
	return f
}

// nanometers is the length of a unit, or 0: those of OME's UnitsLength, and as
// ImageJ's users write them.
func nanometers(unit string) float64 {
	switch strings.TrimSpace(unit) {
	case "pm":
		return 1e-3
	case "\u00c5", "\u212b", "angstrom": // two characters that look the same
		return 0.1
	case "nm", "nanometer", "nanometers":
		return 1
	case "\u00b5m", "\u03bcm", "um", "micron", "microns", "micrometer", `\u00B5m`:
		return 1e3
	case "mm", "millimeter":
		return 1e6
	case "cm", "centimeter":
		return 1e7
	case "inch", "in":
		return 25.4e6
	case "m", "meter":
		return 1e9
	}
	return 0
}

// sizeOfImageJ reads what ImageJ writes (ij.io.TiffEncoder and FileSaver): the
// resolution is pixels in a unit, spacing is between slices.
func sizeOfImageJ(m tiff.Metadata) VoxelSize {
	if !strings.HasPrefix(m.Description, "ImageJ=") {
		return VoxelSize{}
	}
	var unit, spacing string
	for line := range strings.Lines(m.Description) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		switch key {
		case "unit":
			unit = value
		case "spacing":
			spacing = value
		}
	}
	nm := nanometers(unit)
	if nm == 0 || m.Resolution[0] <= 0 || m.Resolution[1] <= 0 {
		return VoxelSize{}
	}
	s := VoxelSize{X: nm / m.Resolution[0], Y: nm / m.Resolution[1], From: "ImageJ's metadata"}
	if z, err := strconv.ParseFloat(spacing, 64); err == nil {
		s.Z = nm * math.Abs(z)
	}
	return s.believable(coarsest)
}

// sizeOfOME reads the first Pixels element of OME-XML (its schema of 2016-06).
func sizeOfOME(text string) VoxelSize {
	if !strings.Contains(text, "<OME") && !strings.Contains(text, ":OME") {
		return VoxelSize{}
	}
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // numbers are ASCII
	for {
		token, err := d.Token()
		if err != nil { // also where the text was cut
			return VoxelSize{}
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "Pixels" {
			return sizeOfPixels(e.Attr)
		}
	}
}

func sizeOfPixels(attributes []xml.Attr) VoxelSize {
	s := VoxelSize{From: "its OME-XML"}
	for axis, v := range map[string]*float64{"X": &s.X, "Y": &s.Y, "Z": &s.Z} {
		nm := nanometers("µm") // the schema's default
		for _, a := range attributes {
			switch a.Name.Local {
			case "PhysicalSize" + axis:
				*v, _ = strconv.ParseFloat(a.Value, 64) // 0 is not known
			case "PhysicalSize" + axis + "Unit":
				nm = nanometers(a.Value)
			}
		}
		*v *= nm
	}
	return s.believable(coarsest)
}

// sizeOfTags reads the resolution of a plain TIFF.
func sizeOfTags(m tiff.Metadata) VoxelSize {
	unit := map[int]float64{tiff.Inch: nanometers("inch"), tiff.Centimeter: nanometers("cm")}[m.ResolutionUnit]
	if unit == 0 || m.Resolution[0] <= 0 || m.Resolution[1] <= 0 {
		return VoxelSize{}
	}
	return VoxelSize{X: unit / m.Resolution[0], Y: unit / m.Resolution[1], From: "its resolution"}.believable(printed)
}
