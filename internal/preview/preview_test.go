package preview

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A stack is a source of one slice, 0, whose voxels a function gives; from row
// broken on it is damaged.
type stack struct {
	width, height int
	typ           voxel.Type
	at            func(x, y int) uint64 // nil: whatever is there
	broken        int                   // 0: none
	seen          int                   // the row that shows it, if that is one below
	largest       *int64                // voxels that were asked for at once
}

func (s stack) Open(_ context.Context, z int) (source.Slice, error) {
	if z != 0 {
		return nil, fmt.Errorf("slice %d: %w", z, fs.ErrNotExist)
	}
	return s, nil
}
func (s stack) Size() (int, int) { return s.width, s.height }
func (s stack) Type() voxel.Type { return s.typ }
func (s stack) Step() int        { return 1 }
func (s stack) Held() int64      { return 0 }
func (s stack) Close() error     { return nil }

func (s stack) ReadRows(_ context.Context, dst *voxel.Block) error {
	if s.largest != nil {
		*s.largest = max(*s.largest, dst.Box.Voxels())
	}
	var p [8]byte
	for y := dst.Box.Min.Y; y < dst.Box.Max.Y; y++ {
		if s.broken > 0 && y >= max(s.broken, s.seen) {
			return &source.RowError{Row: s.broken, Err: errors.New("cut off")}
		}
		row := dst.Row(y, dst.Box.Min.Z)
		if s.at == nil {
			continue
		}
		for x := range s.width {
			binary.LittleEndian.PutUint64(p[:], s.at(x, y))
			copy(row[x*s.typ.Size():(x+1)*s.typ.Size()], p[:])
		}
	}
	return nil
}

func look(t *testing.T, s stack, o Options) *Slice {
	t.Helper()
	seen, err := Look(t.Context(), s, 0, o)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// Each pixel of the picture is the mean of its box, and each number what counting
// one voxel after the other gives.
func TestLook(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, typ := range []voxel.Type{voxel.Uint8, voxel.Uint16} {
		const w, h, side = 103, 57, 30
		values := make([]uint64, w*h)
		for i := range values {
			values[i] = rnd.Uint64N(200)
		}
		s := look(t, stack{width: w, height: h, typ: typ, at: func(x, y int) uint64 { return values[y*w+x] }}, Options{Side: side})
		const step = 4 // of 103 columns 30 pixels at most
		if got := s.Picture.Bounds().Size(); got.X != (w+step-1)/step || got.Y != (h+step-1)/step {
			t.Fatalf("the picture is %v", got)
		}
		var zeros int64
		var total, most uint64
		least := values[0]
		for _, v := range values {
			if v == 0 {
				zeros++
			}
			total, most, least = total+v, max(most, v), min(least, v)
		}
		if s.Zeros != zeros || s.Max != most || s.Min != least || math.Abs(s.Mean-float64(total)/(w*h)) > 1e-9 || s.Rows != h {
			t.Errorf("%v: %+v", typ, s.Stats)
		}
		for y := range s.Picture.Bounds().Dy() {
			for x := range s.Picture.Bounds().Dx() {
				var sum, n uint64
				for v := y * step; v < min((y+1)*step, h); v++ {
					for u := x * step; u < min((x+1)*step, w); u++ {
						sum, n = sum+values[v*w+u], n+1
					}
				}
				want := gray(sum/n, s.From, s.To)
				if got := s.Picture.At(x, y).(color.NRGBA); got != (color.NRGBA{want, want, want, 255}) {
					t.Fatalf("%v: pixel %d,%d is %v, want %d", typ, x, y, got, want)
				}
			}
		}
	}
}

// A label of the picture is one of the slice, and none is mixed.
func TestLabels(t *testing.T) {
	at := func(x, y int) uint64 { return uint64(x/10+y/10*100) * 1e15 }
	s := look(t, stack{width: 100, height: 100, typ: voxel.Uint64, at: at}, Options{Side: 20, Labels: true})
	for y := range 20 {
		for x := range 20 {
			if got, want := s.Picture.At(x, y).(color.NRGBA), labelColor(at(x*5+2, y*5+2)); got != want {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
	if labelColor(1) == labelColor(2) || labelColor(0) != (color.NRGBA{A: 255}) {
		t.Error("labels look alike")
	}
}

// However large a slice is, few of its rows are asked for at once.
func TestBounded(t *testing.T) {
	var largest int64
	s := look(t, stack{width: 20_000, height: 1000, typ: voxel.Uint8, largest: &largest}, Options{})
	if largest > bandBytes || s.Rows != 1000 {
		t.Errorf("%d bytes at once, %d rows", largest, s.Rows)
	}
}

func TestMissingAndDamaged(t *testing.T) {
	small := stack{width: 50, height: 40, typ: voxel.Uint8, at: func(x, y int) uint64 { return 100 }, broken: 17}
	s := look(t, small, Options{})
	if s.Rows != 17 || s.Err == nil || s.Voxels != 17*50 {
		t.Errorf("%d rows, %v", s.Rows, s.Err)
	}
	if _, _, _, a := s.Picture.At(0, 17).RGBA(); a != 0 {
		t.Error("a row that is not there is shown")
	}
	gone, err := Look(t.Context(), small, 1, Options{})
	if err != nil || !errors.Is(gone.Err, fs.ErrNotExist) || gone.Picture != nil {
		t.Errorf("%v, %v", gone, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, small, 0, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

// What is found to be damaged when it was counted is in no number, and not shown.
func TestDamagedAbove(t *testing.T) {
	const width, height, broken = 1 << 20, 40, 3
	at := func(x, y int) uint64 { return uint64(y) }
	s := look(t, stack{width: width, height: height, typ: voxel.Uint8, at: at, broken: broken, seen: 35}, Options{})
	if s.Rows != broken || s.Err == nil || s.Voxels != broken*width || s.Max != broken-1 || s.Height != height {
		t.Errorf("%d rows of %d, %d voxels up to %d, %v", s.Rows, s.Height, s.Voxels, s.Max, s.Err)
	}
}

// tissue is something smooth with noise on it, from 0 to most.
func tissue(most float64) func(x, y int) uint64 {
	rnd := rand.New(rand.NewPCG(3, 4))
	return func(x, y int) uint64 {
		v := 0.5 + 0.4*math.Sin(float64(x)/30)*math.Cos(float64(y)/40) + 0.03*rnd.NormFloat64()
		return uint64(most * min(1, max(0, v)))
	}
}

func TestNotes(t *testing.T) {
	swap := func(at func(x, y int) uint64) func(x, y int) uint64 {
		return func(x, y int) uint64 { return uint64(bits.ReverseBytes16(uint16(at(x, y)))) }
	}
	noise := rand.New(rand.NewPCG(5, 6))
	for _, tt := range []struct {
		what   string
		typ    voxel.Type
		labels bool
		at     func(x, y int) uint64
		want   string // "" is none
	}{
		{"8 bits", voxel.Uint8, false, tissue(255), ""},
		{"16 bits", voxel.Uint16, false, tissue(65535), ""},
		{"16 bits swapped", voxel.Uint16, false, swap(tissue(65535)), "wrong order"},
		{"12 of 16 bits", voxel.Uint16, false, tissue(4095), "Only 12 of the 16 bits"},
		{"12 of 16 bits swapped", voxel.Uint16, false, swap(tissue(4095)), "wrong order"},
		{"12 bits shifted up", voxel.Uint16, false, func(x, y int) uint64 { return tissue(4095)(x, y) << 4 }, "multiples of 16"},
		{"8 bits shifted up", voxel.Uint16, false, func(x, y int) uint64 { return tissue(255)(x, y) << 8 }, "multiples of 256: these are 8 bits"},
		{"noise", voxel.Uint16, false, func(x, y int) uint64 { return noise.Uint64N(1 << 16) }, ""},
		{"a window that is too narrow", voxel.Uint8, false, tissue(400), "largest value"},
		{"nothing", voxel.Uint8, false, func(x, y int) uint64 { return 0 }, "All voxels are 0"},
		{"one value", voxel.Uint8, false, func(x, y int) uint64 { return 7 }, "All voxels are 7"},
		{"labels as an image", voxel.Uint8, false, func(x, y int) uint64 { return uint64(x/50) * 51 }, "are these labels?"},
		{"labels", voxel.Uint64, true, func(x, y int) uint64 { return uint64(x / 50) }, ""},
	} {
		at := tt.at
		if tt.typ == voxel.Uint8 {
			at = func(x, y int) uint64 { return min(255, tt.at(x, y)) }
		}
		s := look(t, stack{width: 300, height: 200, typ: tt.typ, at: at}, Options{Labels: tt.labels})
		got := strings.Join(s.Notes(tt.labels), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

func testPage(t *testing.T) *Page {
	s := stack{width: 2100, height: 1300, typ: voxel.Uint8, at: func(x, y int) uint64 { return uint64(x + y) }}
	p := &Page{Title: `lab/<script>/em`, Facts: []Fact{{"from", "a&b"}}, ToZ: 3}
	p.Image = voxel.NewBox(voxel.Range{Min: 100, Max: 2200}, voxel.Range{Min: 0, Max: 1300}, voxel.Range{Max: 2})
	p.Data = voxel.NewBox(voxel.Range{Min: 200, Max: 2000}, voxel.Range{Min: 0, Max: 1300}, voxel.Range{Max: 2})
	p.Frame = voxel.Box{Max: voxel.Point{X: 2560, Y: 1536, Z: 16}}
	for z := range 2 {
		seen, err := Look(t.Context(), s, z, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.Slices = append(p.Slices, seen)
	}
	return p
}

// The page holds all that it shows, and nothing that a name says is taken for HTML.
func TestWriteHTML(t *testing.T) {
	var b bytes.Buffer
	if err := testPage(t).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"lab/&lt;script&gt;/em", "a&amp;b", "data:image/png;base64,", "in BOSS z 3", "Slice 1", "file does not exist",
		`<rect class="data" x="200" y="0" width="1800" height="1300"`, `<rect class="frame" x="0" y="0" width="2560" height="1536"`,
		`<path d="M1024 0v1300"/>`, `<path d="M200 1024h1800"/>`, "0 black to 255 white", "Nothing of this slice can be shown",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, no := range []string{"http:", "https:", "<script", "src=", "url(", "ZgotmplZ"} {
		if strings.Contains(page, no) {
			t.Errorf("the page has %s", no)
		}
	}
}

func TestWritePNG(t *testing.T) {
	var b bytes.Buffer
	if err := testPage(t).WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	// 2100 columns are 700, of which the data begins at the 33rd.
	if got := m.Bounds().Size(); got.X != 12+700+12+200+12 {
		t.Errorf("the sheet is %v", got)
	}
	if got := color.NRGBAModel.Convert(m.At(12+33, 12+200)); got != sheetData {
		t.Errorf("where the data begins is %v", got)
	}
}

func BenchmarkLook(b *testing.B) {
	for _, typ := range []voxel.Type{voxel.Uint8, voxel.Uint16} {
		b.Run(typ.String(), func(b *testing.B) {
			row := make([]byte, 4096*typ.Size())
			for i := range row {
				row[i] = byte(i * 7)
			}
			b.SetBytes(int64(len(row)))
			var s Stats
			small := newShrinker(4096, 4096, typ, Options{Side: 1000})
			for b.Loop() {
				s.add(row, typ)
				small.row = 0
				small.add(row)
			}
		})
	}
}
