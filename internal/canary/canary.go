// Package canary tries a place for cuboids with one: it is posted, read back,
// erased, and zeros are read back.
//
// What no question can find out shows this way: a permission to write that is
// lacking, a lock, a spent quota, a channel that takes data and does not keep
// them, an address that is another's. And the time of the post is what a cuboid
// costs.
//
// Only a box that holds nothing but zeros is taken, so that erasing it restores
// what was there. Whatever happens after the first byte was sent, it is erased,
// also when the caller gives up. The post is not broken off then, for a while: what
// a server may still be storing cannot be erased.
package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Channel is where the cuboid is put.
type Channel interface {
	Post(ctx context.Context, cuboid *voxel.Block) error
	GetInto(ctx context.Context, dst *voxel.Block) error
	ToBlack(ctx context.Context, box voxel.Box) error
}

// ErrOccupied says that the box holds data. Nothing was posted.
var ErrOccupied = errors.New("the place holds data already")

// A LeftError says that the cuboid may still be there.
type LeftError struct {
	Box voxel.Box
	Err error // why it could not be erased
}

func (e *LeftError) Error() string {
	return fmt.Sprintf("erase %v again: %v; the voxels of the images may still be there", e.Box, e.Err)
}

// Unwrap gives the reason.
func (e *LeftError) Unwrap() error { return e.Err }

// How long things may take when the caller has given up, and erasing in any case.
const (
	postPatience  = 30 * time.Second
	erasePatience = time.Minute
	// Patience is all of it.
	Patience = postPatience + erasePatience
)

// Try posts cuboid, some of whose voxels are not zero, and takes it away again.
// It gives how long the post took, if it succeeded.
//
// The error is [ErrOccupied], or names the act that failed; it wraps a [*LeftError] if the
// cuboid may still be there. When ctx ends, so does Try, but not before it has
// erased what it posted, which takes Patience at most.
func Try(ctx context.Context, ch Channel, cuboid *voxel.Block) (took time.Duration, err error) {
	got := &voxel.Block{Box: cuboid.Box}
	if err := ch.GetInto(ctx, got); err != nil {
		return 0, fmt.Errorf("read %v: %w", cuboid.Box, err)
	}
	if !voxel.IsZero(got.Data) {
		return 0, ErrOccupied
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	took, err = there(ctx, ch, cuboid, got)
	if left := erase(ctx, ch, got); left != nil {
		err = errors.Join(err, left)
	}
	return took, err
}

// there posts cuboid and reads it back, into got.
func there(ctx context.Context, ch Channel, cuboid, got *voxel.Block) (took time.Duration, err error) {
	if took, err = post(ctx, ch, cuboid); err != nil {
		return 0, fmt.Errorf("post %v: %w", cuboid.Box, err)
	}
	if err := ch.GetInto(ctx, got); err != nil {
		return took, fmt.Errorf("read back %v: %w", cuboid.Box, err)
	}
	if d := verify.Compare(got, cuboid); d != nil {
		return took, fmt.Errorf("BOSS took %v and gives other voxels back: %w", cuboid.Box, d)
	}
	return took, nil
}

// post posts cuboid, and goes on for a while when ctx ends.
func post(ctx context.Context, ch Channel, cuboid *voxel.Block) (took time.Duration, err error) {
	posting, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(postPatience):
			abort()
		case <-posting.Done():
		}
	})()
	begin := time.Now()
	err = ch.Post(posting, cuboid)
	return time.Since(begin), err
}

// erase makes got's box zero and reads it back. What the last look says is what
// counts: a cuboid that never arrived needs no erasing, and an answer to the
// erasing can be lost.
func erase(ctx context.Context, ch Channel, got *voxel.Block) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), erasePatience)
	defer cancel()
	err := ch.ToBlack(ctx, got.Box)
	if e := ch.GetInto(ctx, got); e != nil {
		return &LeftError{got.Box, errors.Join(err, e)}
	}
	switch {
	case voxel.IsZero(got.Data):
		return nil
	case err == nil:
		err = errors.New("BOSS says that it is erased, and gives it back")
	}
	return &LeftError{got.Box, err}
}
