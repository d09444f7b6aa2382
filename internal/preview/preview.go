// Package preview shows slices before they are sent.
//
// A wrong byte order, a window that cuts, a stack that is mirrored or cropped at
// the wrong side: all of these are seen at a glance, and by no check. [Look] reads
// a slice, a few rows at a time whatever its size, and makes a small picture and a
// few numbers of it; [Page] puts several of them on one page that needs nothing
// else, neither files nor a network.
package preview

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Options say how a slice is looked at. The zero value is for an image.
type Options struct {
	Side   int  // of the picture, in pixels, at most; 0 is 1000
	Labels bool // voxels are numbers of segments: none is a mean of others
}

// A Slice is what Look sees.
type Slice struct {
	Z             int
	Width, Height int // of the slice; 0 if it cannot be opened
	Type          voxel.Type
	Rows          int // that could be read
	Err           error
	Stats
	Picture  image.Image // rows that could not be read are transparent; nil if there are none
	From, To uint64      // the values that are black and white in the picture of an image
}

// bandBytes is about what is held of a slice at a time: rows of 16 MiB are enough
// for a render service to be asked for large boxes.
const bandBytes = 16 << 20

// Look reads slice z of a source. Whatever is wrong with it is in the Slice's
// Err; ctx's error is the only one that is returned.
func Look(ctx context.Context, src source.Source, z int, o Options) (*Slice, error) {
	if o.Side <= 0 {
		o.Side = 1000
	}
	s, err := lookAbove(ctx, src, z, math.MaxInt, o)
	if broken, ok := errors.AsType[*source.RowError](s.Err); ok && broken.Row < s.Rows && err == nil {
		// Rows that are in its picture and numbers were damaged: leave them out.
		damage := s.Err
		s, err = lookAbove(ctx, src, z, broken.Row, o)
		s.Err = damage
	}
	return s, err
}

// lookAbove is Look for the rows above end.
func lookAbove(ctx context.Context, src source.Source, z, end int, o Options) (*Slice, error) {
	s := &Slice{Z: z}
	in, err := src.Open(ctx, z)
	if err != nil {
		s.Err = err
		return s, ctx.Err()
	}
	defer in.Close() // nothing was written to it
	s.Width, s.Height = in.Size()
	s.Type = in.Type()
	small := newShrinker(s.Width, s.Height, s.Type, o)
	end = min(end, s.Height)
	rows := min(max(1, bandBytes/(s.Width*s.Type.Size())), s.Height)
	band := &voxel.Block{}
	for y := 0; y < end && s.Err == nil; y += rows {
		box := voxel.NewBox(voxel.Range{Max: s.Width}, voxel.Range{Min: y, Max: min(y+rows, end)}, voxel.Range{Min: z, Max: z + 1})
		band.Reset(box, s.Type)
		good := box.Max.Y
		if s.Err = in.ReadRows(ctx, band); s.Err != nil {
			good = goodRows(s.Err, y)
		}
		for ; s.Rows < good; s.Rows++ {
			row := band.Row(s.Rows, z)
			s.Stats.add(row, s.Type)
			small.add(row)
		}
	}
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	s.finish(small, o)
	return s, nil
}

// goodRows is the first row of a band from y on that cannot be used, or one above
// it.
func goodRows(err error, y int) int {
	if broken, ok := errors.AsType[*source.RowError](err); ok {
		return broken.Row
	}
	return y
}

// finish makes the picture.
func (s *Slice) finish(small *shrinker, o Options) {
	if s.Rows == 0 {
		return
	}
	s.Stats.finish()
	s.From, s.To = 0, 255
	if s.Type != voxel.Uint8 {
		s.From, s.To = s.window()
	}
	w, h := small.width, small.height
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v, ok := small.at(x, y)
			switch {
			case !ok:
			case o.Labels:
				m.SetNRGBA(x, y, labelColor(v))
			default:
				g := gray(v, s.From, s.To)
				m.SetNRGBA(x, y, color.NRGBA{g, g, g, 255})
			}
		}
	}
	s.Picture = m
}

// gray is v between from and to as a byte.
func gray(v, from, to uint64) byte {
	switch {
	case v <= from:
		return 0
	case v >= to:
		return 255
	}
	return byte(255 * float64(v-from) / float64(to-from))
}

// labelColor is a color for a label that is unlike those of others, and black for
// none. Multiplying by an odd constant spreads neighbors (Fibonacci hashing).
func labelColor(v uint64) color.NRGBA {
	if v == 0 {
		return color.NRGBA{A: 255}
	}
	h := v * 0x9e3779b97f4a7c15
	bright := func(shift int) byte { return byte(64 + (h>>shift&0xff)*191/255) }
	return color.NRGBA{bright(56), bright(48), bright(40), 255}
}
