package localboss

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// The states of a channel's downsampling in use (bosscore/models.py).
const (
	notDownsampled = "NOT_DOWNSAMPLED"
	queued         = "QUEUED"
	inProgress     = "IN_PROGRESS"
	downsampled    = "DOWNSAMPLED"
	failed         = "FAILED"
)

// maxLevels is how many levels have a cuboid size (spdb, CUBOIDSIZE).
const maxLevels = 13

// maxDownsample is the number of voxels of 200×200×200 cubes: more needs an
// administrator (bossspatialdb/downsample.py).
const maxDownsample = 200 * 200 * 200 * 512 * 512 * 16

// target is the channel a downsample call is about, if the user may have it.
func (st *state) target(c *call) (*experiment, *channel, reply, bool) {
	_, ex, ch, p, ok := st.livingPath(c.names[:3]...)
	switch {
	case !ok:
		return nil, nil, p, false
	case c.anonymous: // permissions are asked of a user, and there is none
		return nil, nil, page(http.StatusInternalServerError), false
	}
	return ex, ch, reply{}, true
}

func (s *Server) getDownsample(c *call) reply {
	return s.look(func(st *state) reply {
		ex, ch, p, ok := st.target(c)
		if !ok {
			return p
		}
		fr := st.Frames[ex.Frame]
		if ex.Method == "anisotropic" && fr.Voxel[0] != fr.Voxel[1] {
			return bossError(systemError, "X voxel size != Y voxel size. Currently unable to determine isotropic level")
		}
		if ex.Levels > maxLevels {
			return page(http.StatusInternalServerError)
		}
		h := hierarchy(ex, fr, c.URL.Query().Get("iso") == "true")
		h.Status = ch.Downsample
		return object(http.StatusOK, h)
	})
}

// levels is the reply about a channel's resolutions, by level.
type levels struct {
	Status string              `json:"status"`
	Levels int                 `json:"num_hierarchy_levels"`
	Voxel  map[string][3]float `json:"voxel_size"`
	Extent map[string][3]int   `json:"extent"`
	Cuboid map[string][3]int   `json:"cuboid_size"`
}

// hierarchy halves x and y from level to level, and z too if the experiment is
// isotropic, or if iso is asked for and the voxels have become as long as deep
// (spdb, project/resource.py). Level 0 is there even if there are no levels.
func hierarchy(ex *experiment, fr *frame, iso bool) levels {
	h := levels{Levels: ex.Levels, Voxel: map[string][3]float{}, Extent: map[string][3]int{}, Cuboid: map[string][3]int{}}
	voxel, extent := fr.Voxel, [3]int{}
	for i := range extent {
		extent[i] = fr.Stop[i] - fr.Start[i]
	}
	for level := range max(1, ex.Levels) {
		key := strconv.Itoa(level)
		if level > 0 {
			axes := 2
			if ex.Method == "isotropic" || iso && level > isotropicLevel(fr) {
				axes = 3
			}
			for i := range axes {
				voxel[i] *= 2
				extent[i] = (extent[i] + 1) / 2
			}
		}
		h.Voxel[key], h.Extent[key] = voxel, extent
		if level < ex.Levels {
			h.Cuboid[key] = [3]int{cube.X, cube.Y, cube.Z}
		}
	}
	return h
}

// isotropicLevel is where halving x brings the voxels nearest to cubes.
func isotropicLevel(fr *frame) int {
	best, level := math.Inf(1), 0
	for r := range 30 {
		off := math.Abs(float64(fr.Voxel[2])/(float64(fr.Voxel[0])*math.Pow(2, float64(r))) - 1)
		if off < best {
			best, level = off, r
		}
	}
	return level
}

func (s *Server) postDownsample(c *call) reply {
	return s.change(func(st *state) reply {
		ex, ch, p, ok := st.target(c)
		if !ok {
			return p
		}
		if s.opt.NoVolumeWrite {
			return forbidden()
		}
		switch ch.Downsample {
		case inProgress:
			return bossError(invalidState, "Channel is currently being downsampled. Invalid Request.")
		case queued:
			return bossError(invalidState, "Channel is already waiting to be downsampled. Invalid Request.")
		case downsampled:
			return bossError(invalidState, "Channel is already downsampled. Invalid Request.")
		}
		fr := st.Frames[ex.Frame]
		if ex.Method == "anisotropic" && fr.Voxel[0] != fr.Voxel[1] {
			return page(http.StatusInternalServerError)
		}
		voxels := 1.0
		for i := range fr.Start {
			voxels *= float64(fr.Stop[i] - fr.Start[i])
		}
		if voxels > maxDownsample {
			return bossError(invalidState, "Large downsamples require admin permissions to trigger. Invalid Request.")
		}
		ch.Downsample, ch.Queued = queued, time.Now()
		s.wakeDownsampler()
		return empty(http.StatusCreated)
	})
}

func (s *Server) deleteDownsample(c *call) reply {
	return s.change(func(st *state) reply {
		_, ch, p, ok := st.target(c)
		if !ok {
			return p
		}
		if ch.Downsample != queued && ch.Downsample != inProgress {
			return bossError(invalidState, "You can only cancel a queued or in-progress downsample operation.")
		}
		s.downsampler.cancel(ch.ID)
		ch.Downsample = notDownsampled
		return empty(http.StatusNoContent)
	})
}

// forbidden is the answer to a user who lacks a permission on the data.
func forbidden() reply {
	return bossError(missingPermission, "This user does not have the required permissions")
}
