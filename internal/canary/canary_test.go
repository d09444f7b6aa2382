package canary_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/canary"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

var errNo = errors.New("no")

// A place is a channel that does as it is told.
type place struct {
	data  []byte
	calls string // a letter each

	post, black func(ctx context.Context) error // nil: as it should be
	get         func(n int) error               // of the n-th, from 1
	forgets     bool
	keeps       bool
	takes       time.Duration
	gets        int
}

func (p *place) Post(ctx context.Context, c *voxel.Block) error {
	p.calls += "P"
	time.Sleep(p.takes)
	if p.post != nil {
		if err := p.post(ctx); err != nil {
			return err
		}
	}
	if !p.forgets {
		p.data = append([]byte(nil), c.Data...)
	}
	return nil
}

func (p *place) GetInto(ctx context.Context, dst *voxel.Block) error {
	p.calls += "G"
	if p.gets++; p.get != nil {
		if err := p.get(p.gets); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	dst.Reset(dst.Box, voxel.Uint8)
	clear(dst.Data)
	copy(dst.Data, p.data)
	return nil
}

func (p *place) ToBlack(ctx context.Context, box voxel.Box) error {
	p.calls += "B"
	if p.black != nil {
		if err := p.black(ctx); err != nil {
			return err
		}
	}
	if !p.keeps {
		p.data = nil
	}
	return nil
}

func cuboid() *voxel.Block {
	b := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 8, Y: 4, Z: 2}}, voxel.Uint8)
	for i := range b.Data {
		b.Data[i] = byte(i)
	}
	return b
}

// no fails where it is put.
func no(context.Context) error { return errNo }

// failOn gives an error at the n-th call.
func failOn(n int) func(int) error {
	return func(i int) error {
		if i == n {
			return errNo
		}
		return nil
	}
}

// Whatever goes wrong is said, and what was sent is taken away again.
func TestTry(t *testing.T) {
	half := func(p *place) func(context.Context) error {
		return func(context.Context) error {
			p.data = cuboid().Data // it arrives, and the answer does not
			return errNo
		}
	}
	for _, tt := range []struct {
		name  string
		p     *place
		with  func(p *place)
		calls string
		want  string // in the error; "": none
		left  bool
	}{
		{"all is well", &place{}, nil, "GPGBG", "", false},
		{"occupied", &place{data: []byte{0, 0, 7}}, nil, "G", "holds data already", false},
		{"cannot be read", &place{get: failOn(1)}, nil, "G", "read 0:8/0:4/0:2: no", false},
		{"refused", &place{post: no}, nil, "GPBG", "post 0:8/0:4/0:2: no", false},
		{"refused, and no erasing either", &place{post: no, black: no}, nil, "GPBG", "post 0:8/0:4/0:2: no", false},
		{"a lost answer", &place{}, func(p *place) { p.post = half(p) }, "GPBG", "post 0:8/0:4/0:2: no", false},
		{"a lost answer, and no erasing", &place{black: no}, func(p *place) { p.post = half(p) }, "GPBG", "post 0:8/0:4/0:2: no", true},
		{"not kept", &place{forgets: true}, nil, "GPGBG", "gives other voxels back: 63 of 64 voxels", false},
		{"cannot be read back", &place{get: failOn(2)}, nil, "GPGBG", "read back 0:8/0:4/0:2: no", false},
		{"cannot be erased", &place{black: no}, nil, "GPGBG", "erase 0:8/0:4/0:2 again: no", true},
		{"is not erased", &place{keeps: true}, nil, "GPGBG", "says that it is erased, and gives it back", true},
		{"erased, and the answer lost", &place{}, func(p *place) {
			p.black = func(context.Context) error { p.data = nil; return errNo }
		}, "GPGBG", "", false},
		{"cannot be read at the end", &place{get: failOn(3)}, nil, "GPGBG", "may still be there", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.with != nil {
				tt.with(tt.p)
			}
			_, err := canary.Try(t.Context(), tt.p, cuboid())
			if tt.p.calls != tt.calls {
				t.Errorf("calls %s, want %s", tt.p.calls, tt.calls)
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			left, ok := errors.AsType[*canary.LeftError](err)
			if ok != tt.left || ok && left.Box != cuboid().Box {
				t.Errorf("left %v, want %v: %v", ok, tt.left, err)
			}
			if tt.want != "" && tt.want != "holds data already" && !tt.left && len(tt.p.data) > 0 {
				t.Error("the cuboid is still there")
			}
			if strings.Contains(tt.want, "other voxels") && !isDifference(err) {
				t.Errorf("%v is no difference", err)
			}
			if (tt.name == "occupied") != errors.Is(err, canary.ErrOccupied) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func isDifference(err error) bool {
	_, ok := errors.AsType[*verify.Difference](err)
	return ok
}

// The time of the post is given.
func TestTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, err := canary.Try(t.Context(), &place{takes: 3 * time.Second}, cuboid())
		if err != nil || took != 3*time.Second {
			t.Errorf("got %v, %v, want 3s", took, err)
		}
	})
}

// Who gives up in the middle leaves nothing behind.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := &place{}
	p.post = func(ctx context.Context) error {
		cancel()
		return ctx.Err() // which lives: what is on its way arrives
	}
	_, err := canary.Try(ctx, p, cuboid())
	if !errors.Is(err, context.Canceled) || p.calls != "GPGBG" || p.data != nil {
		t.Errorf("error %v, calls %s, data left: %v", err, p.calls, p.data != nil)
	}
	p = &place{}
	if _, err := canary.Try(ctx, p, cuboid()); !errors.Is(err, context.Canceled) || p.calls != "G" {
		t.Errorf("who gave up before: error %v, calls %s", err, p.calls)
	}
}

// A post that does not end is broken off when the caller has given up, and not
// before; erasing is given up after a while, and that is said.
func TestPatience(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Minute, cancel)
		begin := time.Now()
		_, err := canary.Try(ctx, &place{post: hang, black: hang}, cuboid())
		if took := time.Since(begin); !errors.Is(err, context.Canceled) || took != 5*time.Minute+canary.Patience {
			t.Errorf("after %v: %v", took, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := canary.Try(t.Context(), &place{black: hang}, cuboid())
		if _, ok := errors.AsType[*canary.LeftError](err); !ok || time.Since(begin) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
	})
}
