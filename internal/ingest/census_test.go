package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A damaged is a slice whose head says more than there is.
type damaged struct{ source.Slice }

func (damaged) Damage() error { return errors.New("it ends in row 3") }

// damage is a source of which one slice is damaged.
func damage(src source.Source, bad int) source.Source {
	return sourceFunc(func(ctx context.Context, z int) (source.Slice, error) {
		s, err := src.Open(ctx, z)
		if err == nil && z == bad {
			return damaged{s}, nil
		}
		return s, err
	})
}

// Every fault is of its kind, and all slices are looked at whatever they are.
func TestCensus(t *testing.T) {
	s := newSetup(1, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	faults := map[int]sourcetest.Fault{
		14: {Open: fs.ErrNotExist},
		16: {Open: errors.New("permission denied")},
		17: {Open: fmt.Errorf("a movie: %w", errors.ErrUnsupported)},
	}
	for z := 20; z < 35; z++ {
		faults[z] = sourcetest.Fault{Open: &source.MismatchError{Name: fmt.Sprint(z)}}
	}
	s.road.Source = damage(sourcetest.Faulty{Source: s.road.Source, Faults: faults}, 15)
	c, err := s.road.Census(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range c.Faults {
		got = append(got, fmt.Sprint(f.Z, " ", f.Kind))
	}
	want := []string{
		fmt.Sprint(14, " ", ingest.Absent), fmt.Sprint(15, " ", ingest.Damaged),
		fmt.Sprint(16, " ", ingest.Unreadable), fmt.Sprint(17, " ", ingest.Wrong),
	}
	for z := 20; z < 35; z++ {
		want = append(want, fmt.Sprint(z, " ", ingest.Wrong))
	}
	if g, w := strings.Join(got, ", "), strings.Join(want, ", "); g != w || c.Slices != 23 {
		t.Errorf("%d slices, faults\n%s, want 23 and\n%s", c.Slices, g, w)
	}
	if n := len(c.Of(ingest.Absent, ingest.Damaged)); n != 2 {
		t.Errorf("%d are absent or damaged, want 2", n)
	}
}

// What is no slice's own fault ends the census, as the end of ctx does.
func TestCensusEnds(t *testing.T) {
	s := newSetup(1, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	src := s.road.Source
	s.road.Source = sourcetest.Faulty{Source: src, Faults: map[int]sourcetest.Fault{20: {Open: fatalError{}}}}
	if _, err := s.road.Census(t.Context(), nil); !errors.Is(err, fatalError{}) {
		t.Errorf("Census = %v, want %v", err, fatalError{})
	}
	s.road.Source = src
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.road.Census(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Census = %v, want %v", err, context.Canceled)
	}
}

type fatalError struct{}

func (fatalError) Error() string { return "the service is gone" }
func (fatalError) Fatal() bool   { return true }

func TestAny(t *testing.T) {
	s := newSetup(1, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	faults := map[int]sourcetest.Fault{}
	for z := s.road.Stack.Min; z < s.road.Stack.Max; z++ {
		faults[z] = sourcetest.Fault{Open: fs.ErrNotExist}
	}
	s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: faults}
	if _, ok, err := s.road.Any(t.Context()); ok || err != nil {
		t.Errorf("of a stack without slices, Any = %v, %v", ok, err)
	}
	delete(faults, s.road.Stack.Max-1)
	if _, ok, err := s.road.Any(t.Context()); !ok || err != nil {
		t.Errorf("of a stack with one slice, Any = %v, %v", ok, err)
	}
	faults[s.road.Stack.Min] = sourcetest.Fault{Open: fatalError{}}
	if _, _, err := s.road.Any(t.Context()); !errors.Is(err, fatalError{}) {
		t.Errorf("Any = %v, want %v", err, fatalError{})
	}
}
