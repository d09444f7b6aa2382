package tiff

import (
	"fmt"
	"io"
)

// The tags that say how large a pixel is: TIFF 6.0 section 8.
const (
	tagXResolution    = 282
	tagYResolution    = 283
	tagResolutionUnit = 296
)

// What Metadata.ResolutionUnit may be.
const (
	NoUnit     = 1
	Inch       = 2
	Centimeter = 3
)

// Metadata is what a file says of its first page beside the pixels. Nothing of it
// is checked, and none of it need be there.
type Metadata struct {
	Description    string     // the first 64 KiB of it
	Resolution     [2]float64 // pixels in a unit, in x and y; 0 if that is not said
	ResolutionUnit int        // NoUnit, Inch, Centimeter or whatever the file has
}

// ReadMetadata reads the first directory of a file, also of one whose pixels
// cannot be read.
func ReadMetadata(r io.ReaderAt, size int64) (Metadata, error) {
	f, d, err := openFile(r, size)
	if err != nil {
		return Metadata{}, fmt.Errorf("tiff: %w", err)
	}
	unit, err := f.number(d, tagResolutionUnit, Inch)
	if err != nil || unit > Centimeter {
		unit = NoUnit
	}
	return Metadata{
		Description:    f.text(d, tagDescription),
		Resolution:     [2]float64{f.rational(d, tagXResolution), f.rational(d, tagYResolution)},
		ResolutionUnit: int(unit),
	}, nil
}

// rational is the first value of tag, two LONGs that are a fraction (type 5), or 0.
func (f *file) rational(d *directory, tag uint16) float64 {
	e, ok := d.find(tag)
	if !ok || e.typ != 5 || e.count == 0 {
		return 0
	}
	p, err := f.data(e, 8)
	if err != nil || f.uint(p[4:]) == 0 {
		return 0
	}
	return float64(f.uint(p[:4])) / float64(f.uint(p[4:]))
}
