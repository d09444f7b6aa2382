package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A volume is a sink that keeps what it gets.
type volume struct {
	mu sync.Mutex
	*voxel.Block
	fail func(box voxel.Box) error
}

func (v *volume) Post(ctx context.Context, c *voxel.Block) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if v.fail != nil {
		if err := v.fail(c.Box); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	n := c.Box.X().Len() * c.Type.Size()
	for z := c.Box.Min.Z; z < c.Box.Max.Z; z++ {
		for y := c.Box.Min.Y; y < c.Box.Max.Y; y++ {
			copy(v.Row(y, z)[(c.Box.Min.X-v.Box.Min.X)*c.Type.Size():][:n], c.Row(y, z))
		}
	}
	return nil
}

// A record remembers every fate.
type record struct {
	mu      sync.Mutex
	boxes   map[voxel.Box]string // posted, empty, failed, kept
	begun   map[voxel.Box]bool
	missing map[int][]voxel.Range // rows, by z
	err     error                 // what the methods return
}

func newRecord() *record {
	return &record{boxes: make(map[voxel.Box]string), begun: make(map[voxel.Box]bool), missing: make(map[int][]voxel.Range)}
}

func (r *record) put(box voxel.Box, fate string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was := r.boxes[box]; was != "" {
		return fmt.Errorf("%v is %s, and was %s before", box, fate, was)
	}
	r.boxes[box] = fate
	return r.err
}

func (r *record) Begin(box voxel.Box) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun[box] {
		return fmt.Errorf("%v is begun twice", box)
	}
	r.begun[box] = true
	return r.err
}

func (r *record) Posted(box voxel.Box, _ uint64, _ time.Duration) error {
	r.mu.Lock()
	begun := r.begun[box]
	r.mu.Unlock()
	if !begun {
		return fmt.Errorf("%v is posted and was not begun", box)
	}
	return r.put(box, "posted")
}

func (r *record) Kept(box voxel.Box, _ uint64) error  { return r.put(box, "kept") }
func (r *record) Empty(box voxel.Box) error           { return r.put(box, "empty") }
func (r *record) Failed(box voxel.Box, _ error) error { return r.put(box, "failed") }
func (r *record) Missing(z int, rows voxel.Range, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.missing[z], rows) {
		return fmt.Errorf("rows %v of slice %d are missing twice: %v", rows, z, err)
	}
	r.missing[z] = append(r.missing[z], rows)
	return r.err
}

func (r *record) count(fate string) (n int) {
	for _, f := range r.boxes {
		if f == fate {
			n++
		}
	}
	return n
}

// at is the voxel that the test stacks have; part of it is empty.
func at(x, y, z int) uint64 {
	if x >= 1024 && y < 1024 {
		return 0
	}
	return uint64(1 + (x+3*y+7*z)%251)
}

// A setup is a stack of 1100×1040 pixels, z 12 to 35, and where it goes.
type setup struct {
	road   *ingest.Road
	volume *volume
	record *record
}

func box(x0, x1, y0, y1, z0, z1 int) voxel.Box {
	return voxel.NewBox(voxel.Range{Min: x0, Max: x1}, voxel.Range{Min: y0, Max: y1}, voxel.Range{Min: z0, Max: z1})
}

func newSetup(workers int, origin voxel.Point, source, channel voxel.Type) *setup {
	stack := box(0, 1100, 0, 1040, 12, 35)
	data := stack.Add(origin)
	s := &setup{volume: &volume{Block: voxel.NewBlock(data, channel)}, record: newRecord()}
	s.road = &ingest.Road{
		Plan:     plan.New(data, source, channel, workers),
		Origin:   origin,
		Stack:    stack.Z(),
		Source:   sourcetest.Memory(volumeOf(stack, source)),
		Sink:     s.volume,
		Recorder: s.record,
	}
	s.read(pieces)
	return s
}

// pieces is how much of a slice tests read at one time: a few rows, which are no
// part of a band.
const pieces = 20_000

// read sets how much of a slice is read at one time.
func (s *setup) read(pieces int64) {
	s.road.Plan.Piece, s.road.Plan.Slice.Step = pieces, 3
}

// volumeOf is the box with the voxels of at.
func volumeOf(b voxel.Box, t voxel.Type) *voxel.Block {
	v := voxel.NewBlock(b, t)
	for z := b.Min.Z; z < b.Max.Z; z++ {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			row := v.Row(y, z)
			for x := range b.X().Len() {
				row[x*t.Size()] = byte(at(x, y, z)) // at is below 256
			}
		}
	}
	return v
}

// want compares the volume with what f says, in source coordinates.
func (s *setup) want(t *testing.T, f func(x, y, z int) uint64) {
	t.Helper()
	o, size := s.road.Origin, s.volume.Type.Size()
	want := make([]byte, s.volume.Box.X().Len()*size)
	for z := s.volume.Box.Min.Z; z < s.volume.Box.Max.Z; z++ {
		for y := s.volume.Box.Min.Y; y < s.volume.Box.Max.Y; y++ {
			for x := range s.volume.Box.X().Len() {
				want[x*size] = byte(f(x+s.volume.Box.Min.X-o.X, y-o.Y, z-o.Z)) // below 256
			}
			if !bytes.Equal(s.volume.Row(y, z), want) {
				t.Fatalf("row %d of z %d differs", y, z)
			}
		}
	}
}

func TestRun(t *testing.T) {
	for _, tt := range []struct {
		name            string
		workers         int
		origin          voxel.Point
		source, channel voxel.Type
		pieces          int64
	}{
		{"plain", 8, voxel.Point{}, voxel.Uint8, voxel.Uint8, 0},
		{"one worker", 1, voxel.Point{}, voxel.Uint8, voxel.Uint8, pieces},
		{"offset", 3, voxel.Point{X: 500, Y: 1000, Z: 37}, voxel.Uint16, voxel.Uint16, pieces},
		{"z below 0 in the source", 3, voxel.Point{Z: -12}, voxel.Uint8, voxel.Uint8, pieces},
		{"labels", 4, voxel.Point{X: 24}, voxel.Uint8, voxel.Uint64, pieces},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSetup(tt.workers, tt.origin, tt.source, tt.channel)
			s.read(tt.pieces)
			if err := s.road.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.want(t, at)
			if got, want := int64(len(s.record.boxes)), s.road.Plan.CountCuboids(); got != want {
				t.Errorf("%d fates are known, want %d", got, want)
			}
			if want := s.volume.Box.Z().CountPieces(16); tt.origin.X == 0 && s.record.count("empty") != want {
				t.Errorf("%d cuboids are empty, want %d", s.record.count("empty"), want)
			}
		})
	}
}

// A limit crops rows and columns.
func TestCrop(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	data := box(700, 1090, 900, 1030, 14, 17)
	s.road.Plan = plan.New(data, voxel.Uint8, voxel.Uint8, 2)
	s.volume.Block = voxel.NewBlock(data, voxel.Uint8)
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.want(t, at)
}

// The slices of the next chunk are opened while this one is on its way, and no
// others; all are closed in the end.
func TestOpenAhead(t *testing.T) {
	s := newSetup(1, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	counting := &counting{Source: s.road.Source}
	s.road.Source = counting
	next := make(chan struct{})
	go func() {
		for counting.opened.Load() < 4+16 {
			time.Sleep(time.Millisecond)
		}
		close(next)
	}()
	s.volume.fail = func(b voxel.Box) error {
		if b.Min.Z < 16 {
			<-next // the first chunk is 4 slices, the second 16
		}
		return nil
	}
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := counting.open.Load(); n != 0 {
		t.Errorf("%d slices are still open", n)
	}
	if n := counting.most.Load(); n > 16+16 {
		t.Errorf("%d slices were open at one time, want two chunks at most", n)
	}
}

// counting is a source that knows how many slices are open.
type counting struct {
	source.Source
	opened, open, most atomic.Int32
}

func (c *counting) Open(ctx context.Context, z int) (source.Slice, error) {
	s, err := c.Source.Open(ctx, z)
	if err == nil {
		c.opened.Add(1)
		n := c.open.Add(1)
		for m := c.most.Load(); n > m && !c.most.CompareAndSwap(m, n); m = c.most.Load() {
		}
	}
	return &countedSlice{s, c}, err
}

type countedSlice struct {
	source.Slice
	counting *counting
}

func (s *countedSlice) Close() error {
	s.counting.open.Add(-1)
	return s.Slice.Close()
}

// What lies before a chunk that cannot be opened is carried.
func TestErrorInTurn(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: map[int]sourcetest.Fault{33: {Open: fs.ErrNotExist}}}
	if err := s.road.Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Run = %v, want %v", err, fs.ErrNotExist)
	}
	if n := s.record.count("posted"); n == 0 {
		t.Error("nothing was posted of the chunks before")
	}
}

func TestAll(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	s.road.All = true
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.record.count("posted"); n != len(s.record.boxes) {
		t.Errorf("%d of %d cuboids went to the sink, want all", n, len(s.record.boxes))
	}
}

// A cuboid that fails is recorded, and the others arrive.
func TestFailedCuboid(t *testing.T) {
	s := newSetup(4, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	bad := box(0, 1024, 0, 1024, 16, 32)
	s.volume.fail = func(b voxel.Box) error {
		if b == bad {
			return errors.New("no")
		}
		return nil
	}
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.record.boxes[bad] != "failed" || s.record.count("failed") != 1 {
		t.Errorf("fate of the bad cuboid: %q, %d failed in all", s.record.boxes[bad], s.record.count("failed"))
	}
	s.want(t, func(x, y, z int) uint64 {
		if x < 1024 && y < 1024 && z >= 16 && z < 32 {
			return 0
		}
		return at(x, y, z)
	})
}

type stop struct{ fatal, refused bool }

func (stop) Error() string   { return "stop" }
func (s stop) Fatal() bool   { return s.fatal }
func (s stop) Refused() bool { return s.refused }

// An error that says that nothing else can succeed ends the run at once.
func TestStop(t *testing.T) {
	for _, want := range []stop{{fatal: true}, {refused: true}} {
		s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
		var posts atomic.Int32
		s.volume.fail = func(voxel.Box) error {
			posts.Add(1)
			return fmt.Errorf("post: %w", want)
		}
		if err := s.road.Run(t.Context()); !errors.Is(err, want) {
			t.Errorf("Run = %v, want %v", err, want)
		}
		if n := posts.Load(); n > 2 {
			t.Errorf("%d cuboids were tried, want no more than there are workers", n)
		}
		if n := s.record.count("failed"); n != 0 {
			t.Errorf("%d cuboids are recorded as failed, want none: they are left to do", n)
		}
	}
}

// What cannot be recorded ends the run.
func TestRecorderFails(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	s.record.err = errors.New("disk full")
	if err := s.road.Run(t.Context()); !errors.Is(err, s.record.err) {
		t.Errorf("Run = %v, want %v", err, s.record.err)
	}
	if n := len(s.record.boxes); n > 3 {
		t.Errorf("%d cuboids were carried on", n)
	}
}

// Interrupted, a run lets what is in flight arrive and begins nothing new.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
		ctx, cancel := context.WithCancel(t.Context())
		s.volume.fail = func(voxel.Box) error {
			cancel()
			time.Sleep(20 * time.Second) // shorter than the grace
			return nil
		}
		if err := s.road.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want %v", err, context.Canceled)
		}
		if n := s.record.count("posted"); n < 1 || n > 2 {
			t.Errorf("%d cuboids arrived, want those in flight", n)
		}
	})
}

// A sink that hangs cannot hold up an interrupted run for longer than the grace.
func TestDrainHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
		ctx, cancel := context.WithCancel(t.Context())
		s.road.Sink = hanging{cancel}
		start := time.Now()
		if err := s.road.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want %v", err, context.Canceled)
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("it took %v", d)
		}
		if n := len(s.record.boxes) - s.record.count("empty"); n != 0 {
			t.Errorf("fates are recorded that nobody knows: %v", s.record.boxes)
		}
	})
}

type hanging struct{ begun func() }

func (h hanging) Post(ctx context.Context, _ *voxel.Block) error {
	h.begun()
	<-ctx.Done()
	return ctx.Err()
}

// gone reports whether row y is lost to a fault: the rows above a break are not.
func gone(f sourcetest.Fault, y int) bool { return f.Open != nil || f.Rows != nil && y >= f.Row }

// Whatever is lost of a stack, each policy puts the same in its place however
// the z range is shared and how much is read at one time.
func TestMissing(t *testing.T) {
	lost := map[int]sourcetest.Fault{
		12: {Open: fs.ErrNotExist},                           // the first of the stack
		20: {Open: errors.New("damaged")},                    // in the middle of a chunk
		21: {Open: errors.New("damaged")},                    // and the next
		31: {Rows: errors.New("damaged"), Row: 1030},         // the last of a chunk, in its second band
		32: {Open: fs.ErrNotExist},                           // the first of a chunk: stands for 31, which is half there
		33: {Rows: errors.New("damaged"), Row: 9, Seen: 900}, // noticed late
		34: {Rows: errors.New("damaged"), Row: 3},            // the last of the stack, near its start
	}
	zero := func(x, y, z int) uint64 {
		if gone(lost[z], y) {
			return 0
		}
		return at(x, y, z)
	}
	var previous func(x, y, z int) uint64
	previous = func(x, y, z int) uint64 {
		if z < 12 {
			return 0
		}
		if gone(lost[z], y) {
			return previous(x, y, z-1)
		}
		return at(x, y, z)
	}
	for _, tt := range []struct {
		policy job.Missing
		want   func(x, y, z int) uint64
	}{{job.Zero, zero}, {job.Previous, previous}} {
		for _, how := range []struct {
			shares int
			pieces int64
		}{{1, 0}, {3, pieces}} {
			t.Run(fmt.Sprintf("%v/%+v", tt.policy, how), func(t *testing.T) {
				s := newSetup(4, voxel.Point{}, voxel.Uint8, voxel.Uint8)
				s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: lost}
				s.road.Missing = tt.policy
				data := s.road.Plan.Data
				for _, z := range plan.Split(data.Z(), how.shares) {
					s.road.Plan = plan.New(data.WithZ(z), voxel.Uint8, voxel.Uint8, 4)
					s.read(how.pieces)
					if err := s.road.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				s.want(t, tt.want)
				want := map[int][]voxel.Range{
					12: {{}}, 20: {{}}, 21: {{}}, 32: {{}},
					31: {{Min: 1030, Max: 1040}},
					33: {{Min: 9, Max: 1024}, {Min: 1024, Max: 1040}},
					34: {{Min: 3, Max: 1024}, {Min: 1024, Max: 1040}},
				}
				if !reflect.DeepEqual(s.record.missing, want) {
					t.Errorf("missing are %v, want %v", s.record.missing, want)
				}
			})
		}
	}
}

func TestMissingFails(t *testing.T) {
	for name, f := range map[string]sourcetest.Fault{
		"absent":   {Open: fs.ErrNotExist},
		"half-way": {Rows: fs.ErrNotExist, Row: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetup(4, voxel.Point{}, voxel.Uint8, voxel.Uint8)
			s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: map[int]sourcetest.Fault{20: f}}
			if err := s.road.Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Run = %v, want %v", err, fs.ErrNotExist)
			}
		})
	}
}

// A slice of another shape is no missing slice: no policy hides it.
func TestMismatch(t *testing.T) {
	for _, policy := range []job.Missing{job.Fail, job.Zero, job.Previous} {
		s := newSetup(4, voxel.Point{}, voxel.Uint8, voxel.Uint8)
		s.road.Missing = policy
		bad := &source.MismatchError{Name: "20.tif"}
		s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: map[int]sourcetest.Fault{20: {Open: bad}}}
		if err := s.road.Run(t.Context()); !errors.Is(err, bad) {
			t.Errorf("%v: Run = %v, want %v", policy, err, bad)
		}
		if _, err := s.road.Survey(t.Context(), nil); !errors.Is(err, bad) {
			t.Errorf("%v: Survey = %v, want %v", policy, err, bad)
		}
	}
}

// Where every slice is wrong, a few are named, and not all are opened.
func TestSurveyMismatch(t *testing.T) {
	z := voxel.Range{Min: 0, Max: 1000}
	faults := map[int]sourcetest.Fault{}
	for i := range z.Max {
		faults[i] = sourcetest.Fault{Open: &source.MismatchError{Name: fmt.Sprintf("%03d.tif", i)}}
	}
	faulty := sourcetest.Faulty{Source: sourcetest.Func(box(0, 1, 0, 1, 0, 1000), voxel.Uint8, at), Faults: faults}
	var opened atomic.Int32
	src := sourceFunc(func(ctx context.Context, z int) (source.Slice, error) {
		opened.Add(1)
		return faulty.Open(ctx, z)
	})
	road := &ingest.Road{Plan: plan.New(box(0, 1, 0, 1, 0, 1000), voxel.Uint8, voxel.Uint8, 1), Stack: z, Source: src, Missing: job.Zero}
	_, err := road.Survey(t.Context(), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "at least ") || !strings.Contains(err.Error(), "of 1000 slices") || !strings.Contains(err.Error(), ".tif is ") {
		t.Errorf("Survey = %v", err)
	}
	if n := opened.Load(); n > 100 {
		t.Errorf("%d slices were opened, want a few", n)
	}
}

type sourceFunc func(ctx context.Context, z int) (source.Slice, error)

func (f sourceFunc) Open(ctx context.Context, z int) (source.Slice, error) { return f(ctx, z) }

// Before the first slice of a stack there are zeros, whatever else the source has.
func TestPreviousOfFirst(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	more := sourcetest.Func(box(0, 1100, 0, 1040, 0, 35), voxel.Uint8, at)
	s.road.Source = sourcetest.Faulty{Source: more, Faults: map[int]sourcetest.Fault{12: {Open: fs.ErrNotExist}, 13: {Open: fs.ErrNotExist}}}
	s.road.Missing = job.Previous
	s.road.Plan = s.road.Plan.Of(box(0, 1100, 0, 8, 12, 15))
	s.volume.Block = voxel.NewBlock(s.road.Plan.Data, voxel.Uint8)
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.want(t, func(x, y, z int) uint64 {
		if z < 14 {
			return 0
		}
		return at(x, y, z)
	})
}

// Looking for the slice before a missing one is no reason to overlook an outage,
// at opening or at reading, nor a slice of another shape.
func TestPreviousOutage(t *testing.T) {
	mismatch := &source.MismatchError{Name: "15.tif"}
	for name, tt := range map[string]struct {
		fault sourcetest.Fault
		want  error
	}{
		"open":     {sourcetest.Fault{Open: stop{fatal: true}}, stop{fatal: true}},
		"read":     {sourcetest.Fault{Rows: stop{fatal: true}}, stop{fatal: true}},
		"mismatch": {sourcetest.Fault{Open: mismatch}, mismatch},
	} {
		s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
		s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: map[int]sourcetest.Fault{15: tt.fault, 16: {Open: fs.ErrNotExist}}}
		s.road.Missing = job.Previous
		s.road.Plan = s.road.Plan.Of(box(0, 1100, 0, 8, 16, 20))
		if err := s.road.Run(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s: Run = %v, want %v", name, err, tt.want)
		}
	}
}

func TestSurvey(t *testing.T) {
	s := newSetup(1, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	z := s.road.Stack
	faults := map[int]sourcetest.Fault{}
	s.road.Source = sourcetest.Faulty{Source: s.road.Source, Faults: faults}
	check := func(policy job.Missing, want ...string) {
		t.Helper()
		s.road.Missing = policy
		last := 0
		_, err := s.road.Survey(t.Context(), func(n, of int) {
			if last++; n != last || of != z.Len() {
				t.Errorf("%d of %d slices were looked at, want %d of %d", n, of, last, z.Len())
			}
		})
		if len(want) == 0 && err != nil {
			t.Errorf("%v: Survey = %v, want no error", policy, err)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%v: Survey = %v, want %q", policy, err, w)
			}
		}
	}
	check(job.Fail)
	faults[13] = sourcetest.Fault{Open: fs.ErrNotExist}
	check(job.Fail, "open slice 13")
	check(job.Zero)
	faults[15] = sourcetest.Fault{Open: fs.ErrNotExist}
	check(job.Fail, "2 of 23 slices", "open slice 13", "open slice 15")
	for i := z.Min; i < z.Max-1; i++ {
		faults[i] = sourcetest.Fault{Open: fs.ErrNotExist}
	}
	check(job.Fail, "22 of 23 slices", "and 12 more")
	check(job.Previous)
	faults[z.Max-1] = sourcetest.Fault{Open: fs.ErrNotExist}
	check(job.Zero, "none of the 23 slices")

	s.road.Stack.Min = 0
	check(job.Zero, "none of the 23 slices")

	// A share of which all is lost is one with gaps, if other slices are there.
	delete(faults, z.Max-1)
	s.road.Plan = s.road.Plan.Of(s.road.Plan.Data.WithZ(voxel.Range{Min: 12, Max: 16}))
	if _, err := s.road.Survey(t.Context(), nil); err != nil {
		t.Errorf("a share with gaps: %v", err)
	}
}

// With images so small that a chunk is one cuboid, all workers still have work.
func TestWorkersBusy(t *testing.T) {
	const workers = 8
	data := box(0, 64, 0, 64, 0, 16*2*workers)
	var inFlight, most atomic.Int32
	all := make(chan struct{})
	sink := sinkFunc(func() {
		if n := inFlight.Add(1); n == workers {
			close(all)
		} else {
			most.Store(max(n, most.Load()))
		}
		<-all // nobody returns before all workers are here
	})
	road := &ingest.Road{
		Plan: plan.New(data, voxel.Uint8, voxel.Uint8, workers), Stack: data.Z(),
		Source: sourcetest.Func(data, voxel.Uint8, at), Sink: sink, Recorder: newRecord(),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := road.Run(ctx); err != nil {
		t.Fatalf("%v: at most %d of %d workers were at work together", err, most.Load(), workers)
	}
}

type sinkFunc func()

func (f sinkFunc) Post(context.Context, *voxel.Block) error { f(); return nil }

func BenchmarkRun(b *testing.B) {
	data := box(0, 4096, 0, 4096, 0, 32)
	stack := voxel.NewBlock(data, voxel.Uint8)
	for i := range stack.Data {
		stack.Data[i] = byte(i)
	}
	b.SetBytes(data.Voxels())
	for b.Loop() {
		road := &ingest.Road{
			Plan: plan.New(data, voxel.Uint8, voxel.Uint8, 8), Stack: data.Z(),
			Source: sourcetest.Memory(stack), Sink: sinkFunc(func() {}), Recorder: newRecord(),
		}
		if err := road.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// What is done is not carried again: chunks of which all is done are not opened,
// bands not read, cuboids not posted.
func TestSkip(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	s.road.Skip = func(b voxel.Box) bool {
		return b.Min.Z < 16 || b.Min.Z == 16 && b != box(0, 1024, 1024, 1040, 16, 32)
	}
	var mu sync.Mutex
	opened := map[int]bool{}
	src := s.road.Source
	s.road.Source = sourceFunc(func(ctx context.Context, z int) (source.Slice, error) {
		mu.Lock()
		defer mu.Unlock()
		opened[z] = true
		return src.Open(ctx, z)
	})
	if cuboids, bytes := s.road.Left(); cuboids != 5 || bytes != 1024*16*16+1100*1040*3 {
		t.Errorf("left are %d cuboids, %d bytes", cuboids, bytes)
	}
	if _, err := s.road.Survey(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for z := 12; z < 35; z++ {
		if got, want := opened[z], z >= 16; got != want {
			t.Errorf("slice %d was opened: %v", z, got)
		}
	}
	if n := len(s.record.boxes); n != 5 || s.record.boxes[box(0, 1024, 1024, 1040, 16, 32)] != "posted" {
		t.Errorf("carried were %v", s.record.boxes)
	}
	s.want(t, func(x, y, z int) uint64 {
		if z < 16 || z < 32 && (x >= 1024 || y < 1024) {
			return 0
		}
		return at(x, y, z)
	})
}

// What is known to be stored is kept, and everything else erased and then
// posted, or only erased if there is nothing to post.
func TestReplace(t *testing.T) {
	s := newSetup(2, voxel.Point{}, voxel.Uint8, voxel.Uint8)
	for i := range s.volume.Data {
		s.volume.Data[i] = 255
	}
	known := box(0, 1024, 0, 1024, 16, 32)
	s.road.Same = func(b voxel.Box, sum uint64, zero bool) bool {
		return b == known && sum == volumeOf(b, voxel.Uint8).Sum() && !zero
	}
	s.road.Eraser = eraser{s.volume}
	if err := s.road.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.record.boxes[known]; got != "kept" {
		t.Errorf("what is known is %q, want kept", got)
	}
	if n := s.record.count("empty"); n != 3 {
		t.Errorf("%d cuboids are empty, want 3", n)
	}
	s.want(t, func(x, y, z int) uint64 {
		if x < 1024 && y < 1024 && z >= 16 && z < 32 {
			return 255
		}
		return at(x, y, z)
	})
}

type eraser struct{ *volume }

func (e eraser) ToBlack(ctx context.Context, box voxel.Box) error {
	return e.Post(ctx, voxel.NewBlock(box, e.Type))
}
