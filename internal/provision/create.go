package provision

import (
	"context"
	"fmt"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/voxel"
)

// maxLevels is how many resolutions BOSS knows cuboid sizes for
// (spdb's spatialdb/cube.py); it fails on an experiment with more.
const maxLevels = 13

// made are the kinds of things that this call created.
type made map[string]bool

// create creates what is missing, parents first. lost is the last refusal that
// may mean that another process was faster; failed is the error that ended it.
func (s *state) create(ctx context.Context, c *boss.Client, j *job.Job) (done made, lost, failed error) {
	done = made{}
	for _, kind := range s.missing(j) {
		switch err := s.createOne(ctx, c, j, kind); {
		case err == nil:
			done[kind] = true
		case boss.IsExisting(err):
			lost = fmt.Errorf("create %s: %w", kind, err)
		default:
			return done, lost, fmt.Errorf("create %s: %w", kind, err)
		}
	}
	return done, lost, nil
}

func (s *state) createOne(ctx context.Context, c *boss.Client, j *job.Job, kind string) error {
	switch kind {
	case kindCollection:
		return c.CreateCollection(ctx, boss.Collection{Name: j.Collection})
	case kindFrame:
		return c.CreateFrame(ctx, s.newFrame(j))
	case kindExperiment:
		return c.CreateExperiment(ctx, s.newExperiment(j))
	case kindOffsets:
		return c.AddMeta(ctx, offsetsKey, offsetsText(j.Offset()), j.Collection, j.Experiment)
	case kindSource:
		return c.CreateChannel(ctx, j.Collection, j.Experiment, boss.ChannelInfo{
			Name: j.SourceChannel, Type: "image", Datatype: voxel.Uint8.String(),
		})
	}
	return c.CreateChannel(ctx, j.Collection, j.Experiment, newChannel(j))
}

func (s *state) newFrame(j *job.Job) boss.Frame {
	return boss.Frame{Name: s.frameName(j), Extent: j.Frame(), VoxelSize: j.VoxelSize, VoxelUnit: j.VoxelUnit}
}

// newExperiment is for the frame that is there, or else for the job's.
func (s *state) newExperiment(j *job.Job) boss.Experiment {
	frame := s.newFrame(j)
	if s.frame != nil {
		frame = *s.frame
	}
	return boss.Experiment{
		Name: j.Experiment, Collection: j.Collection, Frame: frame.Name,
		Levels: levels(frame.Extent), Method: method(frame.VoxelSize), TimeSamples: 1,
	}
}

func newChannel(j *job.Job) boss.ChannelInfo {
	info := boss.ChannelInfo{Name: j.Channel, Type: channelType(j), Datatype: j.ChannelType().String(), BaseResolution: j.Res}
	if j.SourceChannel != "" {
		info.Sources = []string{j.SourceChannel}
	}
	return info
}

// levels is how many resolutions it takes until the longer of x and y fits into
// one stored cube, whose side is 512.
func levels(frame voxel.Box) int {
	n := 1
	for side := 512; side < max(frame.X().Len(), frame.Y().Len()) && n < maxLevels; side *= 2 {
		n++
	}
	return n
}

// method is how BOSS makes lower resolutions: only voxels that are cubes are
// halved in z as well.
func method(size [3]float64) string {
	if size[0] == size[1] && size[1] == size[2] {
		return "isotropic"
	}
	return "anisotropic"
}
