// Package source says where slices come from.
//
// A [Source] opens slices by z; a [Slice] is one image, read downwards, a band
// of rows at a time, so that a chunk of large slices never lies in memory as
// whole images. What a slice lacks, it says: [Damaged] before it is read, a
// [RowError] then. What a source lacks, a [Lister] says.
package source

import (
	"context"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Source gives the slices of one channel. It is safe for concurrent use.
type Source interface {
	// Open makes slice z (source coordinates) ready to be read from its first
	// row. A slice that does not exist wraps fs.ErrNotExist. The caller closes
	// the slice.
	Open(ctx context.Context, z int) (Slice, error)
}

// A Slice is one image, read downwards. One goroutine uses it at a time;
// different slices are independent.
type Slice interface {
	// Size is the image's width and height in pixels.
	Size() (width, height int)

	// Type is what its voxels are.
	Type() voxel.Type

	// ReadRows fills dst with the pixels that dst.Box says: x within the width,
	// y within the height, both from 0; z is not looked at, but dst is one deep.
	// The memory of dst stays the caller's. Rows may be skipped, but never go
	// back: a row above the last one read, a box outside the image, another
	// type and a closed slice are errors.
	//
	// An error half-way names the row that failed, and the slice gives no more
	// rows: every later call fails, too. If the error is (or wraps) a [*RowError],
	// the image itself is damaged: the rows above its Row are good, and those that
	// earlier calls gave from Row on are not, either. After any other error nothing
	// in dst can be used.
	ReadRows(ctx context.Context, dst *voxel.Block) error

	// Step is how many rows are best read at a time, or a multiple of it. Rows come
	// from the file in groups of so many, the first of which begins with row 0, and
	// to read a part of a group costs more, in memory and copies. It is 1 for most
	// files, the height of a tile where there are tiles, and 0 if all rows that are
	// wanted are best asked for at once, as of a service.
	Step() int

	// Held is the most memory in bytes that the slice holds between its first
	// ReadRows and Close beside dst. For a decoder of whole images that is the
	// image. Before it is read, an open slice holds next to nothing: others are
	// open ahead of their turn.
	Held() int64

	// Close releases the slice. A second Close is harmless.
	Close() error
}
