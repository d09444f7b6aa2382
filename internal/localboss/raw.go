package localboss

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// hidden are the boxes that a GET with access-mode=raw does not see yet: see
// LateRaw. It is safe for concurrent use.
type hidden struct {
	mu    sync.Mutex
	boxes []hiddenBox
}

type hiddenBox struct {
	key   key // of the channel, level and time sample
	box   voxel.Box
	until time.Time
}

// hide hides what a cutout wrote as long as the faults that met it say.
func (h *hidden) hide(c *call, cut cutout) {
	for _, f := range c.fired {
		if f.Kind != LateRaw {
			continue
		}
		until := time.Now().Add(time.Duration(f.DelayMS) * time.Millisecond)
		k := cut.key
		for k.time = cut.times.Min; k.time < cut.times.Max; k.time++ {
			h.mu.Lock()
			h.boxes = append(h.boxes, hiddenBox{k, cut.box, until})
			h.mu.Unlock()
		}
	}
}

// mask makes the voxels of b zero that are hidden now. k says all but the place.
func (h *hidden) mask(k key, b *voxel.Block) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	h.boxes = slices.DeleteFunc(h.boxes, func(x hiddenBox) bool { return !now.Before(x.until) })
	for _, x := range h.boxes {
		if part := x.box.Intersect(b.Box); x.key == k && !part.Empty() {
			rows(b, b, part, func(row, _ []byte) { clear(row) })
		}
	}
	return nil
}

// raw reports whether a GET is answered from where cutouts arrive last.
func (c *call) raw() bool {
	return c.Method == http.MethodGet && c.URL.Query().Get("access-mode") == "raw"
}
