package render

import (
	"context"
	"slices"
	"strconv"

	"github.com/neurodata/ndpush/internal/source"
)

var _ source.Lister = (*Slices)(nil)

// List implements source.Lister, with what Open was told: nothing is asked. The
// strays are the sections between the integers.
func (s *Slices) List(context.Context) (*source.Listing, error) {
	l := &source.Listing{Slices: source.Ranges(slices.Clone(s.stack.sections)), StrayCount: len(s.stack.odd)}
	for _, z := range s.stack.odd[:min(len(s.stack.odd), source.MaxStrays)] {
		l.Strays = append(l.Strays, source.Stray{
			Name:   "section " + strconv.FormatFloat(z, 'f', -1, 64),
			Reason: "its z lies between the integers",
		})
	}
	return l, nil
}
