package boss

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Collection groups experiments. Its name is unique on the server.
type Collection struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Experiments []string `json:"experiments,omitempty"` // as BOSS tells them
}

// A Frame is a coordinate frame: the space of an experiment. Its name is unique
// on the server, and but for its description it can never be changed.
type Frame struct {
	Name, Description string
	Extent            voxel.Box
	VoxelSize         [3]float64 // x, y, z
	VoxelUnit         string     // nanometers, micrometers, millimeters or centimeters
}

// An Experiment groups the channels that share a coordinate frame.
type Experiment struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Collection  string   `json:"collection"`
	Frame       string   `json:"coord_frame"`          // name of the coordinate frame
	Levels      int      `json:"num_hierarchy_levels"` // of resolution
	Method      string   `json:"hierarchy_method"`     // isotropic or anisotropic
	TimeSamples int      `json:"num_time_samples"`
	Channels    []string `json:"channels,omitempty"` // as BOSS tells them
}

// A ChannelInfo is what a channel is. Its datatype can never be changed.
type ChannelInfo struct {
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Type           string   `json:"type"`            // image or annotation
	Datatype       string   `json:"datatype"`        // as [voxel.ParseType] reads it
	BaseResolution int      `json:"base_resolution"` // of the data; see [Channel]
	Sources        []string `json:"sources"`         // channels that an annotation belongs to
	Related        []string `json:"related"`

	// As BOSS tells them.
	DownsampleStatus string `json:"downsample_status,omitempty"`
	StorageType      string `json:"storage_type,omitempty"` // spdb, or cloudvol, which takes posts and never shows them
}

// Collections are the names of the collections that the token may see.
func (c *Client) Collections(ctx context.Context) ([]string, error) {
	var v struct {
		Collections []string `json:"collections"`
	}
	err := c.getJSON(ctx, "/v1/collection/", nil, &v)
	return v.Collections, err
}

// CheckToken proves that BOSS accepts the token, by asking for a collection that
// need not be there. No token is asked for where BOSS answers anybody, as it
// does for coordinate frames; a cutout answers a bad token with an exception;
// but for a collection a bad token is a 401.
func (c *Client) CheckToken(ctx context.Context, collection string) error {
	_, err := c.Collection(ctx, collection)
	if IsMissing(err) || IsDeleted(err) {
		return nil
	}
	return err
}

// IsMissing reports whether err is BOSS's word that a resource does not exist.
// Nothing else is: not a 404 of a proxy, nor one that hides what a user may not see.
func IsMissing(err error) bool { return is(err, http.StatusNotFound, codeMissing) }

// IsDeleted reports whether err is BOSS's word that a resource is marked as
// deleted. Its name stays taken.
func IsDeleted(err error) bool { return is(err, http.StatusNotFound, codeDeleted) }

// IsExisting reports whether err may be BOSS's word that there is already a
// resource of that name. BOSS gives the same code to other faults, so only a
// look at the resource can tell.
func IsExisting(err error) bool { return is(err, http.StatusBadRequest, codeExists) }

func is(err error, status, code int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status && e.Code == code
}

// Collection asks for the collection of that name.
func (c *Client) Collection(ctx context.Context, name string) (Collection, error) {
	var v Collection
	path, err := collectionPath(name)
	if err == nil {
		err = c.getJSON(ctx, path, nil, &v)
	}
	return v, err
}

// CreateCollection creates v. One that exists is an [IsExisting] error, here as
// in what follows; it may also mean that an earlier attempt came through and
// its answer did not.
func (c *Client) CreateCollection(ctx context.Context, v Collection) error {
	path, err := collectionPath(v.Name)
	return c.create(ctx, path, err, v)
}

// Frame asks for the coordinate frame of that name.
func (c *Client) Frame(ctx context.Context, name string) (Frame, error) {
	var v Frame
	path, err := framePath(name)
	if err == nil {
		err = c.getJSON(ctx, path, nil, &v)
	}
	return v, err
}

// CreateFrame creates v, for good.
func (c *Client) CreateFrame(ctx context.Context, v Frame) error {
	path, err := framePath(v.Name)
	return c.create(ctx, path, err, v)
}

// Experiment asks for the experiment of that name.
func (c *Client) Experiment(ctx context.Context, collection, name string) (Experiment, error) {
	var v Experiment
	path, err := experimentPath(collection, name)
	if err == nil {
		err = c.getJSON(ctx, path, nil, &v)
	}
	return v, err
}

// CreateExperiment creates v in the collection that it names.
func (c *Client) CreateExperiment(ctx context.Context, v Experiment) error {
	path, err := experimentPath(v.Collection, v.Name)
	return c.create(ctx, path, err, v)
}

// ChannelInfo asks for the channel of that name.
func (c *Client) ChannelInfo(ctx context.Context, collection, experiment, name string) (ChannelInfo, error) {
	var v ChannelInfo
	path, err := channelPath(collection, experiment, name)
	if err == nil {
		err = c.getJSON(ctx, path, nil, &v)
	}
	return v, err
}

// CreateChannel creates v in an experiment.
func (c *Client) CreateChannel(ctx context.Context, collection, experiment string, v ChannelInfo) error {
	path, err := channelPath(collection, experiment, v.Name)
	return c.create(ctx, path, err, v)
}

func (c *Client) create(ctx context.Context, path string, err error, v any) error {
	if err != nil {
		return err
	}
	return c.sendJSON(ctx, http.MethodPost, path, nil, v, http.StatusCreated)
}

// frameJSON is a Frame as BOSS writes it.
type frameJSON struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	XStart      int     `json:"x_start"`
	XStop       int     `json:"x_stop"`
	YStart      int     `json:"y_start"`
	YStop       int     `json:"y_stop"`
	ZStart      int     `json:"z_start"`
	ZStop       int     `json:"z_stop"`
	XVoxelSize  float64 `json:"x_voxel_size"`
	YVoxelSize  float64 `json:"y_voxel_size"`
	ZVoxelSize  float64 `json:"z_voxel_size"`
	VoxelUnit   string  `json:"voxel_unit"`
}

// MarshalJSON writes f as BOSS does.
func (f Frame) MarshalJSON() ([]byte, error) {
	lo, hi, size := f.Extent.Min, f.Extent.Max, f.VoxelSize
	return json.Marshal(frameJSON{
		f.Name, f.Description,
		lo.X, hi.X, lo.Y, hi.Y, lo.Z, hi.Z,
		size[0], size[1], size[2], f.VoxelUnit,
	})
}

// UnmarshalJSON reads f as BOSS writes it.
func (f *Frame) UnmarshalJSON(text []byte) error {
	var j frameJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("coordinate frame: %w", err)
	}
	*f = Frame{
		Name: j.Name, Description: j.Description,
		Extent: voxel.Box{
			Min: voxel.Point{X: j.XStart, Y: j.YStart, Z: j.ZStart},
			Max: voxel.Point{X: j.XStop, Y: j.YStop, Z: j.ZStop},
		},
		VoxelSize: [3]float64{j.XVoxelSize, j.YVoxelSize, j.ZVoxelSize},
		VoxelUnit: j.VoxelUnit,
	}
	return nil
}

// MarshalJSON writes i as BOSS wants it: it takes no null for a list.
func (i ChannelInfo) MarshalJSON() ([]byte, error) {
	type plain ChannelInfo // without this method
	i.Sources = append([]string{}, i.Sources...)
	i.Related = append([]string{}, i.Related...)
	return json.Marshal(plain(i))
}
