package boss

import (
	"context"
	"net/http"
)

// A Downsample is how far BOSS is with the lower resolutions of a channel.
type Downsample struct {
	// Status is NOT_DOWNSAMPLED, QUEUED, IN_PROGRESS, DOWNSAMPLED or FAILED.
	// A post makes a channel that was DOWNSAMPLED NOT_DOWNSAMPLED again.
	Status string `json:"status"`
	Levels int    `json:"num_hierarchy_levels"`
	// What follows is by level, "0", "1" and so on; each x, y, z.
	VoxelSize  map[string][3]float64 `json:"voxel_size"`
	Extent     map[string][3]int     `json:"extent"`      // in voxels
	CuboidSize map[string][3]int     `json:"cuboid_size"` // as stored, in voxels
}

// Downsample asks how far BOSS is.
func (ch *Channel) Downsample(ctx context.Context) (Downsample, error) {
	var d Downsample
	err := ch.client.getJSON(ctx, "/v1/downsample/"+ch.names, nil, &d)
	return d, err
}

// StartDownsample asks BOSS to compute the lower resolutions; BOSS does so in its
// own time. If it has been asked before, or is done, or the channel is too large
// for a user to ask, it answers 409 and says which.
func (ch *Channel) StartDownsample(ctx context.Context) error {
	return ch.client.sendJSON(ctx, http.MethodPost, "/v1/downsample/"+ch.names, nil, nil, http.StatusCreated)
}
