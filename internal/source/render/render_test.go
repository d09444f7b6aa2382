package render_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"github.com/neurodata/ndpush/internal/retry"
	"image"
	"image/png"
	"io"
	"io/fs"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/render"
	"github.com/neurodata/ndpush/internal/source/render/rendertest"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// serve starts s and gives options for its stack lab/fly/v1, without waits.
func serve(t testing.TB, s *rendertest.Server) render.Options {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return render.Options{
		BaseURL: server.URL + "/render-ws/v1/", Owner: "lab", Project: "fly", Stack: "v1", Type: voxel.Uint8, Side: 64,
		Retry: retry.Policy{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	}
}

func open(t testing.TB, o render.Options) *render.Stack {
	t.Helper()
	s, err := render.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// noise are pixels that differ from their neighbours in both bytes.
func noise(x, y, z int) uint16 {
	v := uint64(x+1000)*0x9E3779B97F4A7C15 ^ uint64(y+1000)*0xC2B2AE3D27D4EB4F ^ uint64(z+1000)*0x165667B19E3779F9
	return uint16(v >> 40)
}

// fly is a stack below 0, with a section missing.
func fly() rendertest.Stack {
	return rendertest.Stack{
		Owner: "lab", Project: "fly", Name: "v1", X: voxel.Range{Min: -37, Max: 213}, Y: voxel.Range{Min: -20, Max: 141},
		Sections: []float64{-1, 0, 2, 3, 4}, At: noise, Bits: 16, Tile: 10,
		Hole: func(x, y, z int) bool { return z == 2 && x > 50 && x < 90 && y > 30 },
	}
}

// A stack of a block's voxels, in many small tiles.
func stackOf(b *voxel.Block) rendertest.Stack {
	k := rendertest.Stack{Owner: "lab", Project: "fly", Name: "v1", X: b.Box.X(), Y: b.Box.Y(), Tile: 9, Bits: 8 * b.Type.Size()}
	for z := b.Box.Min.Z; z < b.Box.Max.Z; z++ {
		k.Sections = append(k.Sections, float64(z))
	}
	k.At = func(x, y, z int) uint16 {
		row := b.Row(y, z)
		if b.Type == voxel.Uint8 {
			return uint16(row[x])
		}
		return binary.LittleEndian.Uint16(row[2*x:])
	}
	return k
}

func TestContract(t *testing.T) {
	for name, types := range map[string][]voxel.Type{"tiff16": {voxel.Uint8, voxel.Uint16}, "png16": {voxel.Uint16}} {
		t.Run(name, func(t *testing.T) {
			slices := func(t *testing.T, b *voxel.Block, faults ...rendertest.Fault) source.Source {
				s := rendertest.New(stackOf(b))
				s.NoTIFF16 = name == "png16"
				o := serve(t, s)
				o.Type = b.Type
				stack := open(t, o)
				s.SetFaults(faults...)
				return stack.Slices(b.Box.X(), b.Box.Y())
			}
			sourcetest.Suite{
				New:   func(t *testing.T, b *voxel.Block) source.Source { return slices(t, b) },
				Types: types,
				Broken: func(t *testing.T, b *voxel.Block) source.Source {
					return slices(t, b, rendertest.Fault{Kind: rendertest.Status, Path: "/box/0,120,", Status: 400, Message: "bad tile"})
				},
			}.Run(t)
		})
	}
}

// A scale is num/den; the test's own arithmetic is that of integers.
type scale struct{ num, den int }

func (s scale) float() float64 { return float64(s.num) / float64(s.den) }

// at is the pixel of the stack that column c shows: the one at (c+½)/scale.
func (s scale) at(c int) int {
	n, d := (2*c+1)*s.den, 2*s.num
	if n >= 0 {
		return n / d
	}
	return -((-n + d - 1) / d)
}

// want is what the pixel at scaled column c and row r has to be.
func want(k rendertest.Stack, s scale, c, r, z int) uint16 {
	x, y := s.at(c), s.at(r)
	if x < k.X.Min || x >= k.X.Max || y < k.Y.Min || y >= k.Y.Max || k.Hole(x, y, z) {
		return 0
	}
	return noise(x, y, z)
}

// window makes 8 bits of v, rounding as ImageJ does.
func window(v uint16, low, high int) byte {
	n := high - low + 1
	return byte(min(255, max(0, (512*(int(v)-low)+n)/(2*n))))
}

// Every pixel of every section is that of the stack, however it is cut.
func TestVolume(t *testing.T) {
	for _, s := range []scale{{1, 1}, {1, 4}, {3, 10}, {29, 100}, {1, 3}, {333, 1000}} {
		for _, kind := range []string{"png-image", "tiff16-image", "png16-image"} {
			t.Run(kind, func(t *testing.T) { checkVolume(t, s, kind) })
		}
	}
}

func checkVolume(t *testing.T, s scale, kind string) {
	k := fly()
	server := rendertest.New(k)
	server.NoTIFF16 = kind == "png16-image"
	o := serve(t, server)
	o.Scale = s.float()
	if o.Type = voxel.Uint16; kind == "png-image" {
		o.Type, o.Window = voxel.Uint8, &[2]int{1000, 50000}
	}
	stack := open(t, o)
	if stack.Kind() != kind {
		t.Errorf("scale %v: %s is used, want %s", s, stack.Kind(), kind)
	}
	extent := stack.Extent()
	x, y := extent.X(), extent.Y()
	x = voxel.Range{Min: x.Min - 5, Max: x.Max + 7} // more than there is
	src := stack.Slices(x, y)
	for _, z := range stack.Sections() {
		slice, err := src.Open(t.Context(), z)
		if err != nil {
			t.Fatal(err)
		}
		for rows := range y.Pieces(50) {
			b := voxel.NewBlock(voxel.NewBox(x, rows, voxel.Range{Min: z, Max: z + 1}), o.Type)
			b.Box = b.Box.Add(voxel.Point{X: -x.Min, Y: -y.Min})
			if err := slice.ReadRows(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for r := rows.Min; r < rows.Max; r++ {
				for c := x.Min; c < x.Max; c++ {
					v := want(k, s, c, r, z)
					got := b.Row(r-y.Min, z)
					if o.Type == voxel.Uint8 && got[c-x.Min] != window(v, 1000, 50000) ||
						o.Type == voxel.Uint16 && binary.LittleEndian.Uint16(got[2*(c-x.Min):]) != v {
						t.Fatalf("scale %v: voxel %d, %d, %d is wrong", s, c, r, z)
					}
				}
			}
		}
		slice.Close()
	}
	for _, b := range server.Boxes() {
		if !strings.Contains(b, "maxTileSpecsToRender=1000000") {
			t.Errorf("box %s", b)
		}
	}
}

func TestExtent(t *testing.T) {
	for _, tt := range []struct {
		scale float64
		x, y  voxel.Range
		box   string
	}{
		{0, voxel.Range{Min: -7, Max: 1018}, voxel.Range{Min: 0, Max: 10}, "-7:1018/0:10/-1:5"},
		{0.3, voxel.Range{Min: -7, Max: 1018}, voxel.Range{Min: 0, Max: 10}, "-3:306/0:3/-1:5"},
		{0.25, voxel.Range{Min: -7, Max: 1018}, voxel.Range{Min: 4, Max: 9}, "-2:255/1:3/-1:5"},
		{0.001, voxel.Range{Min: -7, Max: 1018}, voxel.Range{Min: 4, Max: 9}, "-1:2/0:1/-1:5"},
	} {
		k := fly()
		k.X, k.Y, k.Tile = tt.x, tt.y, 0
		o := serve(t, rendertest.New(k))
		o.Scale = tt.scale
		if got := open(t, o).Extent(); got.String() != tt.box {
			t.Errorf("scale %v: extent %v, want %s", tt.scale, got, tt.box)
		}
	}
	// Maxima that are edges are not told from pixels: what is too much is 0.
	k := fly()
	k.Sloppy = true
	if got := open(t, serve(t, rendertest.New(k))).Extent(); got.String() != "-37:214/-20:142/-1:5" {
		t.Errorf("sloppy: extent %v", got)
	}
}

// What the package's comment says of boxes.
func TestExample(t *testing.T) {
	k := fly()
	k.X = voxel.Range{Min: -7, Max: 1018}
	server := rendertest.New(k)
	o := serve(t, server)
	o.Scale, o.Side = 0.3, 1024
	stack := open(t, o)
	slice, err := stack.Slices(stack.Extent().X(), stack.Extent().Y()).Open(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	b := voxel.NewBlock(voxel.NewBox(voxel.Range{Min: 4, Max: 308}, voxel.Range{Max: 20}, voxel.Range{Max: 1}), voxel.Uint8)
	if err := slice.ReadRows(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	got := server.Boxes()
	if last := got[len(got)-1]; last != "z/3/box/0,-20,1020,70,0.3/png-image?maxTileSpecsToRender=1000000" {
		t.Errorf("asked for %s", last)
	}
}

// A band is one box high wherever it begins; boxes are on their way together,
// but never more than allowed.
func TestRequests(t *testing.T) {
	k := fly()
	server := rendertest.New(k)
	o := serve(t, server)
	o.Scale, o.Side, o.Requests = 0.3, 16, 3
	stack := open(t, o)
	if stack.Memory() <= 0 || stack.Memory() > 3*(8*16*20+2*64<<10+1<<10) {
		t.Errorf("Memory is %d", stack.Memory())
	}
	x, y := stack.Extent().X(), stack.Extent().Y()
	probes := len(server.Boxes())
	done := make(chan error)
	for _, z := range []int{2, 3} {
		go func() {
			slice, err := stack.Slices(x, y).Open(t.Context(), z)
			if err == nil {
				err = slice.ReadRows(t.Context(), voxel.NewBlock(voxel.NewBox(voxel.Range{Max: x.Len()}, voxel.Range{Min: 2, Max: 18}, voxel.Range{Max: 1}), voxel.Uint8))
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n, most := len(server.Boxes())-probes, 2*((x.Len()+2+14)/15+1); n > most {
		t.Errorf("%d boxes for two bands, want at most %d", n, most)
	}
	if server.Busy() > 3 {
		t.Errorf("%d requests at a time, want at most 3", server.Busy())
	}
}

// Of a section that is absent no empty image is taken.
func TestMissing(t *testing.T) {
	k := fly()
	k.Sections = append(k.Sections, 2.5, 4.1)
	server := rendertest.New(k)
	stack := open(t, serve(t, server))
	if got := stack.Sections(); !slices.Equal(got, []int{-1, 0, 2, 3, 4}) {
		t.Errorf("sections %v", got)
	}
	if got := stack.Fractional(); !slices.Equal(got, []float64{2.5, 4.1}) {
		t.Errorf("fractional sections %v", got)
	}
	src := stack.Slices(k.X, k.Y)
	l, err := src.List(t.Context())
	if want := []voxel.Range{{Min: -1, Max: 1}, {Min: 2, Max: 5}}; err != nil || !slices.Equal(l.Slices, want) {
		t.Errorf("%+v, %v, want slices %v", l, err, want)
	} else if l.StrayCount != 2 || len(l.Strays) != 2 || l.Strays[0].String() != "section 2.5: its z lies between the integers" {
		t.Errorf("strays %+v", l)
	}
	if _, err := src.Open(t.Context(), 1); !errors.Is(err, fs.ErrNotExist) || err.Error() != "open slice 1: stack lab/fly/v1 has no such section: file does not exist" {
		t.Errorf("slice 1: %v", err)
	}
}

// Outlines of tiles come with a 200, and are never taken for voxels.
func TestOutlines(t *testing.T) {
	for _, kind := range []string{"png-image", "tiff16-image", "png16-image"} {
		server := rendertest.New(fly())
		server.Deaf, server.Limit, server.NoTIFF16 = true, 30, kind == "png16-image"
		o := serve(t, server)
		if o.Type = voxel.Uint16; kind == "png-image" {
			o.Type = voxel.Uint8
		}
		err := readAll(t, open(t, o))
		var answer *render.AnswerError
		if !errors.As(err, &answer) || !errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		for _, part := range []string{"read slice 3: row ", "/stack/v1/z/3/box/", kind + ": ", "outlines", "operators"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is missing in %v", part, err)
			}
		}
	}
}

// readAll reads section 3.
func readAll(t testing.TB, stack *render.Stack) error {
	return readContext(t.Context(), stack)
}

func readContext(ctx context.Context, stack *render.Stack) error {
	x, y := stack.Extent().X(), stack.Extent().Y()
	slice, err := stack.Slices(x, y).Open(ctx, 3)
	if err != nil {
		return err
	}
	defer slice.Close()
	return slice.ReadRows(ctx, voxel.NewBlock(voxel.NewBox(voxel.Range{Max: x.Len()}, voxel.Range{Max: y.Len()}, voxel.Range{Max: 1}), slice.Type()))
}

func TestChanged(t *testing.T) {
	server := rendertest.New(fly())
	stack := open(t, serve(t, server))
	if err := readAll(t, stack); err != nil || stack.Changed() != "" {
		t.Errorf("before the edit: %v, %q", err, stack.Changed())
	}
	server.SetFaults(rendertest.Fault{Kind: rendertest.Edited, Skip: 2, Times: 1})
	if err := readAll(t, stack); err != nil {
		t.Error(err)
	}
	const want = `stack lab/fly/v1 was edited while it was read: its images had the ETag "1561982400000" at first, later "1561982460000"`
	if got := stack.Changed(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// some is a number of retries that depends on how many connections were idle, and
// may be 0: net/http itself does without one that breaks before it is used.
const some = -1

func TestRetry(t *testing.T) {
	odd := new(bytes.Buffer)
	if err := png.Encode(odd, image.NewNRGBA(image.Rect(0, 0, 63, 64))); err != nil {
		t.Fatal(err)
	}
	wide := new(bytes.Buffer)
	if err := png.Encode(wide, image.NewNRGBA64(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		fault   rendertest.Fault
		retries int32
		want    string // part of the error; "": none
		fatal   bool
		other   bool // an answer of another kind
	}{
		{name: "503 thrice", fault: rendertest.Fault{Kind: rendertest.Status, Status: 503, Times: 3}, retries: 3},
		{name: "reset", fault: rendertest.Fault{Kind: rendertest.Reset, Times: 5}, retries: some},
		{name: "cut", fault: rendertest.Fault{Kind: rendertest.Cut, Times: 2}, retries: 2},
		{name: "garbled", fault: rendertest.Fault{Kind: rendertest.Garbled, Times: 2}, retries: 2},
		{name: "400 thrice", fault: rendertest.Fault{Kind: rendertest.Status, Status: 400, Times: 3}, retries: 3},
		{name: "400", fault: rendertest.Fault{Kind: rendertest.Status, Status: 400, Message: "no tile\n at all"}, retries: 3, want: "400 Bad Request: no tile at all"},
		{name: "garbled for ever", fault: rendertest.Fault{Kind: rendertest.Garbled}, retries: 3, want: "the image is damaged: png: "},
		{name: "500", fault: rendertest.Fault{Kind: rendertest.Status, Status: 500, Message: "heap"}, retries: 7, want: "500 Internal Server Error: heap", fatal: true},
		{name: "504", fault: rendertest.Fault{Kind: rendertest.Status, Status: 504}, retries: 7, want: "504 Gateway Timeout", fatal: true},
		{name: "reset for ever", fault: rendertest.Fault{Kind: rendertest.Reset}, retries: 7, want: "EOF", fatal: true},
		{name: "cut for ever", fault: rendertest.Fault{Kind: rendertest.Cut}, retries: 7, want: "unexpected EOF", fatal: true},
		{name: "hang", fault: rendertest.Fault{Kind: rendertest.Hang}, retries: 3, want: "did not answer within 500ms", fatal: true},
		{name: "404", fault: rendertest.Fault{Kind: rendertest.Status, Status: 404, Message: "gone"}, want: "404 Not Found: gone", fatal: true},
		{name: "403", fault: rendertest.Fault{Kind: rendertest.Status, Status: 403}, want: "403 Forbidden", fatal: true},
		{name: "page", fault: rendertest.Fault{Kind: rendertest.Body, Message: "<html>log in</html>"}, want: `no image but "<html>log in</html>"`, other: true},
		{name: "size", fault: rendertest.Fault{Kind: rendertest.Body, Message: odd.String()}, want: "63×64 pixels, where 64×64", other: true},
		{name: "bits", fault: rendertest.Fault{Kind: rendertest.Body, Message: wide.String()}, want: "not 8 bits", other: true},
		{name: "flood", fault: rendertest.Fault{Kind: rendertest.Body, Message: "\x89PNG" + strings.Repeat("x", 1<<20)}, want: "longer than the", other: true},
		{name: "empty", fault: rendertest.Fault{Kind: rendertest.Body}, want: "no image", other: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := rendertest.New(fly())
			o := serve(t, server)
			var retries atomic.Int32
			o.OnRetry = func(render.Failure) { retries.Add(1) }
			if tt.fault.Kind == rendertest.Hang {
				o.Timeout, o.Requests = 500*time.Millisecond, 1 // others are not to be late too
			}
			stack := open(t, o)
			tt.fault.Path = "/z/3/box/27,44,64," // the box in the middle
			server.SetFaults(tt.fault)
			err := readAll(t, stack)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if n := retries.Load(); n != tt.retries && tt.retries != some {
				t.Errorf("%d retries, want %d", retries.Load(), tt.retries)
			}
			var fatal interface{ Fatal() bool }
			if got := errors.As(err, &fatal) && fatal.Fatal(); got != tt.fatal {
				t.Errorf("fatal is %v: %v", got, err)
			}
			if got := errors.Is(err, errors.ErrUnsupported); got != tt.other || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("another answer is %v: %v", got, err)
			}
		})
	}
}

// Waits double, to a bound, and are shortened by chance.
func TestWaits(t *testing.T) {
	server := rendertest.New(fly())
	o := serve(t, server)
	var waits []time.Duration
	o.OnRetry = func(f render.Failure) { waits = append(waits, f.Wait) }
	o.Retry.Max, o.Retry.Random = 5*time.Second, func() float64 { return 0.5 }
	server.SetFaults(rendertest.Fault{Kind: rendertest.Status, Status: 503})
	if _, err := render.Open(t.Context(), o); err == nil {
		t.Error("no error")
	}
	want := []time.Duration{375, 750, 1500, 3000, 3750, 3750, 3750}
	for i := range want {
		want[i] *= time.Millisecond
	}
	if !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
}

// A cancelled read ends at once, whether it waits for an answer or to retry.
func TestCancel(t *testing.T) {
	for name, fault := range map[string]rendertest.Fault{
		"hang":  {Kind: rendertest.Hang, Path: "/z/3/"},
		"retry": {Kind: rendertest.Status, Status: 503, Path: "/z/3/"},
	} {
		t.Run(name, func(t *testing.T) {
			server := rendertest.New(fly())
			o := serve(t, server)
			o.Retry.Sleep, o.Retry.Base, o.Retry.Max = nil, time.Hour, time.Hour
			stack := open(t, o)
			server.SetFaults(fault)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			start := time.Now()
			if err := readContext(ctx, stack); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// A stack that cannot be read says why.
func TestOpenErrors(t *testing.T) {
	for _, tt := range []struct {
		name    string
		stack   func(*rendertest.Stack)
		server  func(*rendertest.Server)
		options func(*render.Options)
		want    string
	}{
		{name: "missing", options: func(o *render.Options) { o.Stack = "V1" },
			want: "stack lab/fly/V1 at HOST: it does not exist: compare owner, project and stack, capitals too, with" +
				" http://HOST/render-ws/v1/owner/lab/stackIds: GET /v1/owner/lab/project/fly/stack/V1: 404 Not Found: stack with owner"},
		{name: "offline", stack: func(k *rendertest.Stack) { k.State = "OFFLINE" },
			want: "stack lab/fly/v1 at HOST: it is OFFLINE"},
		{name: "no stats", stack: func(k *rendertest.Stack) { k.State, k.NoStats = "LOADING", true },
			want: "never complete (its state is LOADING)"},
		{name: "channel", options: func(o *render.Options) { o.Channel = "dapi" },
			stack: func(k *rendertest.Stack) {
				k.Channels = map[string]func(x, y, z int) uint16{"DAPI": noise, "TdTomato": noise}
			},
			want: `it has no channel "dapi"; its channels are DAPI, TdTomato`},
		{name: "fractions", stack: func(k *rendertest.Stack) { k.Sections = []float64{0.5, 1.5} },
			want: "none of its 2 sections has an integral z"},
		{name: "empty", stack: func(k *rendertest.Stack) { k.Sections = nil }, want: "it has no sections"},
		{name: "too old", server: func(s *rendertest.Server) { s.NoTIFF16, s.NoPNG16 = true, true },
			options: func(o *render.Options) { o.Type = voxel.Uint16 },
			want:    "the service draws no uint16 images (it has none of [tiff16-image png16-image])"},
		{name: "another service", server: func(s *rendertest.Server) {
			s.SetFaults(rendertest.Fault{Kind: rendertest.Body, Message: "<html>welcome</html>"})
		}, want: "this is no render web service, correct the base URL: <html>welcome</html>"},
		{name: "no sense", server: func(s *rendertest.Server) {
			s.SetFaults(rendertest.Fault{Kind: rendertest.Body, Message: "{}"})
		}, want: "the answer makes no sense: it has no state"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := fly()
			if tt.stack != nil {
				tt.stack(&k)
			}
			server := rendertest.New(k)
			if tt.server != nil {
				tt.server(server)
			}
			o := serve(t, server)
			host := strings.TrimSuffix(strings.TrimPrefix(o.BaseURL, "http://"), "/render-ws/v1/")
			if tt.options != nil {
				tt.options(&o)
			}
			_, err := render.Open(t.Context(), o)
			if want := strings.ReplaceAll(tt.want, "HOST", host); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// All that is wrong with the options is said at once, and nothing is sent.
func TestOptions(t *testing.T) {
	_, err := render.Open(t.Context(), render.Options{
		BaseURL: "host/render-ws", Owner: "lab", Type: voxel.Uint32, Scale: 0.333333, Requests: -1,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"render project: no name", "render stack: no name", "not uint32", `render base URL "host/render-ws": want one such as`,
		"render scale 0.333333: no box of up to 1000 pixels is whole pixels at that scale; at 0.3333333333333333, one of 3 is", "no number below 0",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	o := serve(t, rendertest.New(fly()))
	for _, tt := range []struct {
		change func(*render.Options)
		want   string
	}{
		{func(o *render.Options) { o.Scale = 2 }, "want more than 0, and at most 1"},
		{func(o *render.Options) { o.Scale = -0.5 }, "want more than 0"},
		{func(o *render.Options) { o.Scale = 1e-5 }, "at 0.001, one of 1000 is"},
		{func(o *render.Options) { o.Type, o.Window = voxel.Uint16, &[2]int{0, 9} }, "it makes 8 bits of 16, and uint16 is wanted"},
		{func(o *render.Options) { o.Window = &[2]int{9, 9} }, "want a lower intensity and a higher one"},
		{func(o *render.Options) { o.BaseURL = "ftp://host/render-ws" }, "render base URL"},
	} {
		changed := o
		tt.change(&changed)
		if _, err := render.Open(t.Context(), changed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

// The base URL may be given with and without its end, but not with a password,
// which the list of processes would show.
func TestBaseURL(t *testing.T) {
	o := serve(t, rendertest.New(fly()))
	host := strings.TrimSuffix(o.BaseURL, "/render-ws/v1/")
	for _, end := range []string{"", "/", "/render-ws", "/render-ws/", "/render-ws/v1", "/render-ws/v1//"} {
		o.BaseURL = host + end
		stack := open(t, o)
		if want := host + "/render-ws/view/stack-details.html?renderStackOwner=lab&renderStackProject=fly&renderStack=v1"; stack.View() != want {
			t.Errorf("%s: view %s, want %s", end, stack.View(), want)
		}
	}
	o.BaseURL = "http://me:secret@127.0.0.1:1/render-ws"
	if _, err := render.Open(t.Context(), o); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "password") {
		t.Errorf("got %v", err)
	}
}

// What a person has to mend is not tried again.
func TestScheme(t *testing.T) {
	o := serve(t, rendertest.New(fly()))
	o.OnRetry = func(f render.Failure) { t.Errorf("retry after %v", f.Err) }
	secure := httptest.NewUnstartedServer(rendertest.New(fly()))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for url, want := range map[string]string{
		secure.URL: "certificate",
		strings.Replace(o.BaseURL, "http:", "https:", 1): "HTTP response to HTTPS client",
	} {
		o.BaseURL = url
		_, err := render.Open(t.Context(), o)
		var e *render.Error
		if !errors.As(err, &e) || !e.Fatal() || e.Temporary() || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A channel is asked for by its name.
func TestChannel(t *testing.T) {
	k := fly()
	k.Channels = map[string]func(x, y, z int) uint16{"DAPI": func(_, _, _ int) uint16 { return 7 }}
	k.Bits = 8
	o := serve(t, rendertest.New(k))
	o.Channel = "DAPI"
	slice, err := open(t, o).Slices(k.X, k.Y).Open(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	b := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 1, Y: 1, Z: 1}}, voxel.Uint8)
	if err := slice.ReadRows(t.Context(), b); err != nil || b.Data[0] != 7 {
		t.Errorf("voxel %d, %v", b.Data[0], err)
	}
}
