package cli

import (
	"context"
	"sync/atomic"

	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// vitals are how posting does at this moment.
func (c *channelIngest) vitals(read *countedSource) progress.Vitals {
	pace := c.client.Pace().State()
	v := progress.Vitals{
		Read:    read.bytes.Load(),
		Sent:    c.channel.Sent().Frames,
		Workers: pace.InFlight,
		Allowed: pace.Limit,
		Retries: c.retries.count(),
	}
	v.Trouble, v.Since = c.retries.latest.was()
	return v
}

// A countedSource counts the bytes of the voxels that are read from a source.
type countedSource struct {
	source.Source
	bytes atomic.Int64
}

func (s *countedSource) Open(ctx context.Context, z int) (source.Slice, error) {
	slice, err := s.Source.Open(ctx, z)
	if err != nil {
		return nil, err
	}
	return &countedSlice{slice, &s.bytes}, nil
}

type countedSlice struct {
	source.Slice
	bytes *atomic.Int64
}

func (s *countedSlice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	err := s.Slice.ReadRows(ctx, dst)
	if err == nil {
		s.bytes.Add(int64(len(dst.Data)))
	}
	return err
}
