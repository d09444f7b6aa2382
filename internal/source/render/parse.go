package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// maxCoord bounds coordinates: a service's boxes have 32-bit ones.
const maxCoord = math.MaxInt32

// metadata is what a service knows of a stack (StackMetaData and StackStats).
type metadata struct {
	State                 string
	LastModifiedTimestamp json.RawMessage
	Stats                 *stats
	CurrentVersion        struct{ StackResolutionX, StackResolutionY, StackResolutionZ float64 }

	x, y voxel.Range // the pixels of the stack, if Stats has bounds
}

type stats struct {
	StackBounds  *bounds
	ChannelNames []string
}

// bounds are the least and the greatest coordinates of the tiles.
type bounds struct{ MinX, MinY, MaxX, MaxY *float64 }

// parseInfo reads the service's JSON about a stack.
func parseInfo(p []byte) (metadata, error) {
	var m metadata
	if err := json.Unmarshal(p, &m); err != nil {
		return m, err
	}
	if m.State == "" {
		return m, errors.New("it has no state")
	}
	if m.Stats == nil || m.Stats.StackBounds == nil {
		return m, nil // check says what that means
	}
	var err error
	b := m.Stats.StackBounds
	if m.x, err = pixels("x", b.MinX, b.MaxX); err != nil {
		return m, err
	}
	m.y, err = pixels("y", b.MinY, b.MaxY)
	return m, err
}

// pixels are those between two coordinates. The greatest is a pixel's own in
// some stacks and the edge of the last one in others (TileSpec.deriveBoundingBox);
// to take it for a pixel loses none.
func pixels(axis string, least, greatest *float64) (voxel.Range, error) {
	if least == nil || greatest == nil {
		return voxel.Range{}, fmt.Errorf("its bounds lack %s", axis)
	}
	lo, hi := math.Floor(*least), math.Floor(*greatest)+1
	if !(lo < hi && lo >= -maxCoord && hi <= maxCoord) {
		return voxel.Range{}, fmt.Errorf("its bounds in %s are %v to %v", axis, *least, *greatest)
	}
	return voxel.Range{Min: int(lo), Max: int(hi)}, nil
}

// check says why a stack cannot be read, if so.
func (m *metadata) check(channel string) error {
	switch {
	case m.State == "OFFLINE":
		return errors.New("it is OFFLINE, which means that its tiles were taken out of the service's database: its owner has to import them again")
	case m.Stats == nil || m.Stats.StackBounds == nil:
		return fmt.Errorf("its bounds are not known, since it was never complete (its state is %s): its owner has to set its state to COMPLETE first", m.State)
	case channel != "" && len(m.Stats.ChannelNames) > 0 && !slices.Contains(m.Stats.ChannelNames, channel):
		return fmt.Errorf("it has no channel %q; its channels are %s", channel, strings.Join(m.Stats.ChannelNames, ", "))
	}
	return nil
}

// parseSections reads the service's list of sections: the z that are integers,
// and the others, each ascending.
func parseSections(p []byte) (whole []int, odd []float64, err error) {
	var all []float64
	if err := json.Unmarshal(p, &all); err != nil {
		return nil, nil, err
	}
	slices.Sort(all)
	for _, z := range slices.Compact(all) {
		switch {
		case z < -maxCoord || z > maxCoord:
			return nil, nil, fmt.Errorf("a section at z = %v", z)
		case z == math.Trunc(z):
			whole = append(whole, int(z))
		default:
			odd = append(odd, z)
		}
	}
	return whole, odd, nil
}
