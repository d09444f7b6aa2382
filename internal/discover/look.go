package discover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/neurodata/ndpush/internal/raster"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/tiff"
)

// Heads is what the heads of a few files say.
type Heads struct {
	Shape  source.Shape // of the first that could be read
	Held   int64        // the most that a slice holds while it is read, see source.Slice
	Step   int          // the most rows that one gives at a time, see there
	Bytes  int64        // the size of a file, on average
	Size   VoxelSize    // as the first says
	Looked int          // files that were looked at
	Odd    []string     // sentences about those that are of another shape, or cannot be read
}

// guesses is how many files are looked at beside the first, the middle and the last.
const guesses = 4

// Sample chooses a few slices: the first, the middle, the last, and some others.
func (s *Series) Sample(rnd *rand.Rand) []int {
	n := s.Count()
	at := []int{0, n / 2, n - 1}
	for range guesses {
		at = append(at, rnd.IntN(n))
	}
	slices.Sort(at)
	var z []int
	for _, i := range slices.Compact(at) {
		z = append(z, s.nth(i))
	}
	return z
}

// nth is the z of the slice that comes after i others.
func (s *Series) nth(i int) int {
	for _, r := range s.Slices {
		if i < r.Len() {
			return r.Min + i
		}
		i -= r.Len()
	}
	panic("discover: there are not so many slices")
}

// Look opens some slices' files, whose pattern that is. It is an error if none of
// them can be read.
func Look(ctx context.Context, place source.Opener, pattern source.Pattern, z []int) (*Heads, error) {
	h := new(Heads)
	var first error
	for _, z := range z {
		err := h.look(ctx, place, pattern, z)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		h.Looked++
		if err != nil {
			h.Odd = append(h.Odd, err.Error())
			if first == nil {
				first = err
			}
		}
	}
	if h.Shape == (source.Shape{}) {
		return nil, first
	}
	h.Bytes /= int64(h.Looked)
	return h, nil
}

// look adds one file to h.
func (h *Heads) look(ctx context.Context, place source.Opener, pattern source.Pattern, z int) error {
	file, err := place.Open(ctx, pattern.Name(z))
	if err != nil {
		return err
	}
	defer file.Close() // nothing was written to it
	h.Bytes += file.Size()
	img, err := raster.Open(file, file.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", pattern.Path(z), err)
	}
	width, height := img.Size()
	shape := source.Shape{Width: width, Height: height, Type: img.Type()}
	if h.Shape == (source.Shape{}) {
		h.Shape = shape
		if m, err := tiff.ReadMetadata(file, file.Size()); err == nil { // else it is no TIFF
			h.Size = sizeOf(m)
		}
	}
	h.Held, h.Step = max(h.Held, img.Held()), max(h.Step, img.Step())
	if shape != h.Shape {
		return fmt.Errorf("%s is %v, others are %v", pattern.Path(z), shape, h.Shape)
	}
	return nil
}
