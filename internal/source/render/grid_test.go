package render

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/source/render/rendertest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// At every scale of up to three decimals the boxes of a region cover it, begin
// at whole pixels of both scales, are as large as the service will make them,
// and small enough for it.
func TestGrid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := 1; i <= 1000; i++ {
		scale := float64(i) / 1000
		g, err := newGrid(scale, 1024)
		if err != nil {
			t.Fatal(err)
		}
		if i*g.period != g.unit*1000 {
			t.Fatalf("scale %v is %d/%d", scale, g.unit, g.period)
		}
		x := voxel.Range{Min: rnd.IntN(100000) - 50000}
		x.Max = x.Min + 1 + rnd.IntN(5000)
		next := x.Min
		for b := range g.boxes(x, x, 0) {
			w := g.full(b.x.Len())
			switch {
			case b.x.Min%g.unit != 0 || int(scale*float64(w)) != b.x.Len():
				t.Fatalf("scale %v: box %v is %d wide", scale, b, w)
			case int64(w)*int64(g.full(b.y.Len())) >= 1<<31:
				t.Fatalf("scale %v: box %v has %d×%d pixels", scale, b, w, g.full(b.y.Len()))
			case b.y.Min > x.Min:
				continue
			case b.x.Min > next || b.x.Max <= next:
				t.Fatalf("scale %v: box %v after column %d of %v", scale, b, next, x)
			}
			next = b.x.Max
		}
		if next < x.Max {
			t.Fatalf("scale %v: boxes of %v end at %d", scale, x, next)
		}
	}
}

// A band of rows is one box high, also where it does not begin on the grid.
func TestBands(t *testing.T) {
	for _, scale := range []float64{1, 0.5, 0.3, 0.75, 0.333, 1. / 3} {
		g, err := newGrid(scale, 1024)
		if err != nil {
			t.Fatal(err)
		}
		for y := -5; y < 1005; y++ {
			for b := range g.boxes(voxel.Range{Max: 1}, voxel.Range{Min: y, Max: y + 1024}, 0) {
				if !b.y.Contains(voxel.Range{Min: y, Max: y + 1024}) {
					t.Fatalf("scale %v: rows from %d are asked for as %v", scale, y, b)
				}
			}
		}
	}
}

// The pixels that show a range contain it.
func TestScaled(t *testing.T) {
	g, err := newGrid(0.3, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for i := -50; i < 50; i++ {
		for n := 1; n < 50; n++ {
			got := g.scaled(voxel.Range{Min: i, Max: i + n})
			if 10*got.Min > 3*i || 10*got.Min+10 <= 3*i || 10*got.Max < 3*(i+n) || 10*got.Max-10 >= 3*(i+n) {
				t.Fatalf("%d:%d is %v", i, i+n, got)
			}
		}
	}
}

// What is kept for answers stays within what Memory says, though their length
// is not known beforehand.
func TestSlots(t *testing.T) {
	server := httptest.NewServer(rendertest.New(rendertest.Stack{Owner: "o", Project: "p", Name: "s", X: voxel.Range{Max: 400}, Y: voxel.Range{Max: 200},
		Sections: []float64{0}, At: func(x, y, _ int) uint16 { return uint16(x*x*31 + y*y*17) }}))
	defer server.Close()
	s, err := Open(t.Context(), Options{BaseURL: server.URL, Owner: "o", Project: "p", Stack: "s", Type: voxel.Uint8, Side: 64, Requests: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	slice, err := s.Slices(s.Extent().X(), s.Extent().Y()).Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := slice.ReadRows(t.Context(), voxel.NewBlock(s.Extent(), voxel.Uint8)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := int64(cap((<-s.slots).body)); n*3 > s.Memory() {
			t.Errorf("an answer takes %d bytes of the %d of three", n, s.Memory())
		}
	}
}

func FuzzInfo(f *testing.F) {
	for _, s := range []string{
		`{"state":"COMPLETE","lastModifiedTimestamp":"2019-07-01T12:00:00.000+0000","stats":{"stackBounds":{"minX":-3.5,"minY":0,"minZ":1,"maxX":1023,"maxY":9.0,"maxZ":3},"channelNames":["a"]}}`,
		`{"state":"LOADING","lastModifiedTimestamp":1561982400000,"stats":null}`,
		`{"state":"COMPLETE","stats":{"stackBounds":{"minX":1e300,"maxX":-1e300}}}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := parseInfo(p)
		if err != nil || m.check("") != nil {
			return
		}
		for _, r := range []voxel.Range{m.x, m.y} {
			if r.Empty() || r.Min < -maxCoord || r.Max > maxCoord {
				t.Errorf("range %v", r)
			}
		}
	})
}

func FuzzSections(f *testing.F) {
	for _, s := range []string{`[1.0,2.0,4.0]`, `[3,1,2.5,-7,1]`, `[1e30]`, `[null]`, `{}`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		whole, odd, err := parseSections(p)
		if err != nil {
			return
		}
		var all []float64
		if json.Unmarshal(p, &all) != nil || len(whole)+len(odd) > len(all) || !slices.IsSorted(whole) || !slices.IsSorted(odd) {
			t.Errorf("%v and %v of %v", whole, odd, all)
		}
	})
}

// ask gives what a service answers for a box at 0, 0 of noise.
func ask(tb testing.TB, k kind, width, height int) []byte {
	tb.Helper()
	s := rendertest.New(rendertest.Stack{Owner: "o", Project: "p", Name: "s", Bits: 16, X: voxel.Range{Max: width}, Y: voxel.Range{Max: height},
		Sections: []float64{0}, At: func(x, y, _ int) uint16 { return uint16(x*x*31 + y*y*17) }})
	g := grid{scale: 1, unit: 1, period: 1}
	return rendertest.Get(s, "/render-ws/v1/owner/o/project/p/stack/s"+g.path(box{voxel.Range{Max: width}, voxel.Range{Max: height}, 0}, k))
}

// An answer is an error or fills the block; nothing else.
func FuzzDecode(f *testing.F) {
	for _, k := range []kind{kindPNG, kindPNG16, kindTIFF16} {
		f.Add(ask(f, k, 8, 6))
	}
	f.Fuzz(func(_ *testing.T, p []byte) {
		b := box{voxel.Range{Min: 3, Max: 11}, voxel.Range{Min: -2, Max: 4}, 0}
		at := voxel.NewBox(voxel.Range{Min: 5, Max: 20}, voxel.Range{Min: -9, Max: 2}, voxel.Range{Max: 1})
		_ = decodeRGBA(p, b, voxel.NewBlock(at, voxel.Uint8))
		_ = decodeGray(context.Background(), p, b, voxel.NewBlock(at, voxel.Uint16))
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, k := range []kind{kindPNG, kindPNG16, kindTIFF16} {
		b.Run(string(k), func(b *testing.B) {
			p := ask(b, k, 1024, 1024)
			at := box{voxel.Range{Max: 1024}, voxel.Range{Max: 1024}, 0}
			s := Stack{kind: k}
			dst := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 1}}, voxel.Uint8)
			if k != kindPNG {
				dst = voxel.NewBlock(dst.Box, voxel.Uint16)
			}
			b.SetBytes(int64(len(dst.Data)))
			for b.Loop() {
				if err := s.decode(b.Context(), p, at, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
