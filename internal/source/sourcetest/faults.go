package sourcetest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A slice of another size or type is told from one that is missing.
func (s Suite) odd(t *testing.T) {
	if s.Odd == nil {
		t.Skip("no expectations")
	}
	typ := s.Types[0]
	b := Block(voxel.Box{Max: voxel.Point{X: width, Y: height, Z: 1}}, typ)
	got := source.Shape{Width: width, Height: height, Type: typ}
	for _, want := range []source.Shape{
		{Width: width + 1, Height: height, Type: typ}, {Width: width, Height: height - 1, Type: typ},
		{Width: height, Height: width, Type: typ}, {Width: width, Height: height, Type: other(typ)},
	} {
		_, err := s.Odd(t, b, want).Open(t.Context(), 0)
		var mismatch *source.MismatchError
		if !errors.As(err, &mismatch) || mismatch.Got != got || mismatch.Want != want || mismatch.Name == "" {
			t.Errorf("%v where %v is wanted: %v", got, want, err)
		}
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v where %v is wanted is said to be missing", got, want)
		}
	}
}

// A slice that breaks half-way gives right voxels or an error that names a row,
// and after the error nothing more. A row that is damaged is the same however
// many are read at a time; what a service refuses may be bands of some heights only,
// of which ten rows is one.
func (s Suite) broken(t *testing.T) {
	if s.Broken == nil {
		t.Skip("cannot break")
	}
	b := Block(voxel.Box{Max: voxel.Point{X: width, Y: height, Z: 1}}, s.Types[0])
	src := s.Broken(t, b)
	_, err := readBroken(t, open(t, src, 0), b, 10)
	if err == nil || !strings.Contains(err.Error(), "row ") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want an error that names a row", err)
	}
	damage, ok := errors.AsType[*source.RowError](err)
	if !ok {
		return
	}
	for _, rows := range steps {
		_, err := readBroken(t, open(t, src, 0), b, rows)
		if broken, ok := errors.AsType[*source.RowError](err); !ok || broken.Row != damage.Row {
			t.Errorf("%d rows at a time: %v, and 10: %v", rows, err, damage)
		}
	}
}

// steps are how many rows are read at a time of a slice that is damaged.
var steps = []int{1, 7, 10, 64, 100, height}

// readBroken reads a slice in bands until it breaks, and on: no band may be read
// after the error. It gives the rows that are good, which have to be those of b
// if the error says that they are: what is read before damage is seen need not.
func readBroken(t *testing.T, slice source.Slice, b *voxel.Block, rows int) (good int, failed error) {
	t.Helper()
	all := band(b.Type, 0, width, 0, height)
	for y := range (voxel.Range{Max: height}).Pieces(rows) {
		dst := band(b.Type, 0, width, y.Min, y.Max)
		err := slice.ReadRows(t.Context(), dst)
		switch {
		case err == nil && failed != nil:
			t.Fatalf("rows %v after %v", y, failed)
		case failed != nil:
			continue
		}
		copy(all.Data[y.Min*len(all.Row(0, all.Box.Min.Z)):], dst.Data)
		if good, failed = y.Max, err; err == nil {
			continue
		}
		good = y.Min
		if broken, ok := errors.AsType[*source.RowError](err); ok {
			good = broken.Row
			checkGood(t, broken, y, all, b)
		}
	}
	return good, failed
}

// checkGood compares the rows of all that broken says are good, once rows y gave
// it.
func checkGood(t *testing.T, broken *source.RowError, y voxel.Range, all, b *voxel.Block) {
	t.Helper()
	if broken.Row >= y.Max || broken.Row < 0 || broken.Err == nil {
		t.Fatalf("rows %v break at row %d: %v", y, broken.Row, broken)
	}
	for y := range broken.Row {
		if !slices.Equal(all.Row(y, all.Box.Min.Z), b.Row(y, 0)) {
			t.Fatalf("row %d has other voxels, and %v", y, broken)
		}
	}
}

// A slice that is cut short says so before it is read, and gives the same rows,
// in bands of any height.
func (s Suite) cut(t *testing.T) {
	if s.Cut == nil {
		t.Skip("cannot be cut short")
	}
	b := Block(voxel.Box{Max: voxel.Point{X: width, Y: height, Z: 1}}, s.Types[0])
	src := s.Cut(t, b)
	atOnce := -1
	for _, rows := range slices.Backward(steps) {
		slice := open(t, src, 0)
		damaged, ok := slice.(source.Damaged)
		if !ok || damaged.Damage() == nil || errors.Is(damaged.Damage(), fs.ErrNotExist) {
			t.Fatal("nothing is known to be wrong with the slice")
		}
		good, err := readBroken(t, slice, b, rows)
		broken, ok := errors.AsType[*source.RowError](err)
		if !ok || !errors.Is(broken, reason(damaged.Damage())) {
			t.Errorf("the slice breaks for %v, and Damage says %v", err, damaged.Damage())
		}
		if least := s.Kept * height / 100; good < least || ok && good != broken.Row {
			t.Errorf("%d rows in bands of %d, want %d: %v", good, rows, least, err)
		}
		if rows == height {
			atOnce = good
		}
		if good != atOnce {
			t.Errorf("%d rows in bands of %d, and %d at once: %v", good, rows, atOnce, err)
		}
	}
}

// reason is the innermost error.
func reason(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// A source that can tell which slices there are names those that New made.
func testList(t *testing.T, src source.Source, _ *voxel.Block) {
	lister, ok := src.(source.Lister)
	if !ok {
		t.Skip("cannot tell")
	}
	l, err := lister.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []voxel.Range{{Min: firstZ, Max: lastZ}}; !slices.Equal(l.Slices, want) || l.Count() != want[0].Len() || l.StrayCount != 0 || l.Others != 0 {
		t.Errorf("got %+v, want slices %v and nothing else", l, want)
	}
}
