package localboss

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/voxel"
)

const (
	// maxCutout is CUTOUT_MAX_SIZE: 520 MiB before compression.
	maxCutout = 520 << 20
	// maxBody is nginx's client_max_body_size.
	maxBody = 550 << 20
)

// A cutout is what a cutout URL asks for, once it was found to be in order.
type cutout struct {
	key       key // of the channel and level
	box       voxel.Box
	times     voxel.Range
	timeAsked bool // the URL has a time range: arrays have four axes

	annotation  bool
	datatype    voxel.Type
	base        int
	cloudVolume bool
	downsampled bool
}

// cutout judges the URL of the cutout service.
func (s *Server) cutout(c *call) (cutout, reply, bool) {
	box := voxel.NewBox(parseRange(c.names[4]), parseRange(c.names[5]), parseRange(c.names[6]))
	return s.judge(c, place{level: c.names[3], times: c.names[7], box: box, text: strings.Join(c.names[3:7], "/")})
}

// A place is where the URL of a service of voxels points.
type place struct {
	level, times string
	box          voxel.Box
	text         string // of the URL
	malformed    bool   // the box is none
}

// judge judges a place in the order of bosscore/request.py.
func (s *Server) judge(c *call, at place) (cutout, reply, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	fail := func(p reply) (cutout, reply, bool) { return cutout{}, p, false }
	ex, ch, p, ok := s.state.target(c)
	if !ok {
		return fail(p)
	}
	if s.opt.NoVolumeWrite && c.Method != http.MethodGet && c.Method != http.MethodHead {
		return fail(forbidden())
	}
	t, err := voxel.ParseType(ch.Datatype)
	if err != nil {
		return fail(page(http.StatusInternalServerError))
	}
	cut := cutout{
		annotation:  ch.Type == "annotation",
		datatype:    t,
		base:        ch.Base,
		box:         at.box,
		cloudVolume: ch.Storage == "cloudvol",
		downsampled: ch.Downsample == downsampled,
		times:       voxel.Range{Min: ch.DefaultTime, Max: ch.DefaultTime + 1},
	}
	if at.times != "" {
		cut.times, cut.timeAsked = parseRange(at.times), true
		if p, ok := checkTimes(at.times, cut.times, ex.Times); !ok {
			return fail(p)
		}
	}
	level, _ := strconv.Atoi(at.level)
	if level < ch.Base || level >= ch.Base+ex.Levels {
		return fail(bossError(typeError, "Invalid resolution %d. The resolution has to be within %d and %d", level, ch.Base, ch.Base+ex.Levels))
	}
	cut.key = key{channel: ch.ID, level: level}
	if at.malformed {
		return fail(bossError(typeError, "Type error in cutout argument%s", at.text))
	}
	// The frame is that of level 0 whatever the level.
	if cut.box.Empty() || !s.state.Frames[ex.Frame].box().Contains(cut.box) {
		return fail(bossError(invalidCutout, "Incorrect cutout arguments %s", at.text))
	}
	if t == voxel.Uint32 { // known to the models and to nothing else
		return fail(page(http.StatusInternalServerError))
	}
	return cut, reply{}, true
}

func (fr *frame) box() voxel.Box {
	return voxel.Box{
		Min: voxel.Point{X: fr.Start[0], Y: fr.Start[1], Z: fr.Start[2]},
		Max: voxel.Point{X: fr.Stop[0], Y: fr.Stop[1], Z: fr.Stop[2]},
	}
}

// parseRange reads what the URL's pattern has found to be digits, a colon,
// digits; without a colon they are a range of one. Too many digits are more than
// any frame contains.
func parseRange(text string) voxel.Range {
	lo, hi, ok := strings.Cut(text, ":")
	r := voxel.Range{Min: parseNumber(lo), Max: parseNumber(hi)}
	if !ok {
		r.Max = r.Min + 1
	}
	return r
}

// parseNumber reads digits. Too many are a number that can still be multiplied
// with another one.
func parseNumber(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return math.MaxInt32
	}
	return min(n, math.MaxInt32)
}

// checkTimes is off by one, as the server is: the sample after the last is taken.
func checkTimes(text string, r voxel.Range, samples int) (reply, bool) {
	switch {
	case r.Min > samples:
		return bossError(invalidURL, "Invalid time range %s. Start time is greater than the maximum time sample %d", text, samples), false
	case r.Min > r.Max || r.Max > samples+1:
		return bossError(invalidURL, "Invalid time range %s. End time is greater than the start time or out of bounds with maximum time sample %d", text, samples), false
	}
	return reply{}, true
}

// tooLarge counts the bytes before compression as the server does: those of
// uint64 count a quarter. Floats do not overflow.
func (cut cutout) tooLarge() bool {
	size := cut.box.Size()
	n := float64(size.X) * float64(size.Y) * float64(size.Z) * float64(cut.times.Len()) * float64(cut.datatype.Size())
	if cut.datatype == voxel.Uint64 {
		n /= 4
	}
	return n > maxCutout
}

// bytes is the number of bytes before compression. It fits if tooLarge is false.
func (cut cutout) bytes() int64 {
	return cut.box.Voxels() * int64(cut.times.Len()) * int64(cut.datatype.Size())
}

// shape is that of the array: z, y, x, and before them time if it was asked for.
func (cut cutout) shape() []int {
	size := cut.box.Size()
	shape := []int{size.Z, size.Y, size.X}
	if cut.timeAsked {
		shape = append([]int{cut.times.Len()}, shape...)
	}
	return shape
}

// blocks calls do for each time sample with its share of data.
func (cut cutout) blocks(data []byte, do func(key, *voxel.Block) error) error {
	n := int(cut.bytes()) / max(1, cut.times.Len())
	for i := range cut.times.Len() {
		k := cut.key
		k.time = cut.times.Min + i
		if err := do(k, &voxel.Block{Box: cut.box, Type: cut.datatype, Data: data[i*n : (i+1)*n]}); err != nil {
			return err
		}
	}
	return nil
}

// unwritable is what spdb refuses when all else was in order.
func (cut cutout) unwritable() string {
	switch {
	case cut.times.Empty():
		return "range object index out of range"
	case cut.key.level != cut.base && cut.key.level != cut.base+1:
		return "('Resolution Mismatch', <ErrorCodes.RESOLUTION_MISMATCH: 109>)"
	case !cut.annotation && cut.datatype == voxel.Uint64:
		return "Can't instantiate abstract class Cube with abstract methods"
	}
	return ""
}

func (s *Server) postCutout(c *call) reply {
	if c.ContentLength <= 0 { // empty or chunked: the framework sees no body to parse, the view expects one
		return page(http.StatusInternalServerError)
	}
	if c.ContentLength > maxBody {
		p := page(http.StatusRequestEntityTooLarge)
		p.code = tooLarge
		return p
	}
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if kind != bloscType && kind != npygzType {
		return c.refuse(http.StatusUnsupportedMediaType, "Unsupported media type \"%s\" in request.", c.Header.Get("Content-Type"))
	}
	cut, p, ok := s.cutout(c)
	if !ok {
		return p
	}
	if cut.tooLarge() {
		return bossError(tooLarge, "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions.")
	}
	body, data := s.buffers.get(), s.buffers.get()
	defer s.buffers.put(body)
	defer s.buffers.put(data)
	if err := body.read(c.Body, c.ContentLength); err != nil { // nobody is there to answer
		return page(http.StatusBadRequest)
	}
	n := min(cut.bytes(), s.opt.Memory)
	if err := s.memory.Acquire(c.Context(), n); err != nil {
		return page(http.StatusInternalServerError)
	}
	defer s.memory.Release(n)
	if p, ok := unpack(data, *body, kind, cut); !ok {
		return p
	}
	if s.faults.spend(c.fired, cut.bytes()) {
		return c.throttled()
	}
	return s.store(c, cut, *data)
}

// unpack decompresses a body to data. The errors are those of
// bossspatialdb/parsers.py and of the view that gets what they parse.
func unpack(data *buffer, body []byte, kind string, cut cutout) (reply, bool) {
	var err error
	if kind == npygzType {
		*data, err = readNPYGZ(*data, body, cut.datatype, cut.shape())
		switch {
		case errors.Is(err, errDatatype):
			return bossError(wrongData, "Datatype does not match channel"), false
		case errors.Is(err, errDimensions):
			return bossError(wrongDimensions, "Data dimensions in URL do not match POSTed data."), false
		}
		return page(http.StatusInternalServerError), err == nil // the parser expects no error
	}
	broken := bossError(wrongData, "Failed to decompress data. Verify the datatype/bitdepth of your data matches the channel.")
	h, err := blosc.ParseHeader(body)
	switch {
	case err != nil || h.CBytes != len(body) || h.NBytes%cut.datatype.Size() != 0:
		return broken, false
	case int64(h.NBytes) != cut.bytes(): // only the count is looked at, never the shape
		return bossError(wrongDimensions, "Failed to unpack data. Verify the datatype of your POSTed data and xyz dimensions used in the POST URL."), false
	}
	var d blosc.Decoder
	*data, err = d.Append(*data, body, h.NBytes)
	return broken, err == nil
}

// store writes a cutout that was found to be right.
func (s *Server) store(c *call, cut cutout, data []byte) reply {
	const failed = "Error during write_cuboid: %s"
	if text := cut.unwritable(); text != "" {
		return bossError(systemError, failed, text)
	}
	if locked(c.fired) {
		return bossError(systemError, failed, "('Resource Locked', <ErrorCodes.RESOURCE_LOCKED: 108>)")
	}
	if cut.cloudVolume { // accepted, and never seen again
		return empty(http.StatusCreated)
	}
	if err := cut.blocks(data, s.volume.write); err != nil {
		s.log.Error("write cutout", "err", err)
		return bossError(systemError, failed, fmt.Sprintf("(%s, <ErrorCodes.REDIS_ERROR: 103>)", pyString(err.Error())))
	}
	s.hidden.hide(c, cut)
	s.written(c, cut, cut.bytes())
	return empty(http.StatusCreated)
}

// written counts a cutout, and takes back that the channel is downsampled: it
// was, without this.
func (s *Server) written(c *call, cut cutout, size int64) {
	if err := s.ledger.wrote(c.Method, c.names, size, c.ContentLength); err != nil {
		s.log.Error("count cutout", "err", err)
	}
	if !cut.downsampled {
		return
	}
	s.change(func(st *state) reply {
		if _, ch, p, ok := st.target(c); !ok {
			return p
		} else {
			ch.Downsample = notDownsampled
		}
		return empty(http.StatusOK)
	})
}

// blacken is the service to_black, the only one that can erase.
func (s *Server) blacken(c *call) reply {
	cut, p, ok := s.cutout(c)
	if !ok {
		return p
	}
	if cut.tooLarge() {
		return bossError(tooLarge, "Cutout overwrite is over 500MB when uncompressed. Reduce overwrite dimensions.")
	}
	if cut.unwritable() != "" || locked(c.fired) { // the handler of the error has one of its own
		return page(http.StatusInternalServerError)
	}
	k := cut.key
	for k.time = cut.times.Min; k.time < cut.times.Max; k.time++ {
		if err := s.volume.blacken(k, cut.box, cut.datatype); err != nil {
			s.log.Error("blacken cutout", "err", err)
			return page(http.StatusInternalServerError)
		}
	}
	s.written(c, cut, 0)
	return empty(http.StatusOK)
}

func (s *Server) getCutout(c *call) reply {
	if !c.accessMode() {
		return page(http.StatusInternalServerError)
	}
	cut, p, ok := s.cutout(c)
	if !ok {
		return p
	}
	if cut.tooLarge() {
		return bossError(tooLarge, "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions.")
	}
	if cut.unreadable() || c.accept == jsonType { // voxels have no form in JSON
		return page(http.StatusInternalServerError)
	}
	switch {
	case c.accept != jpegType:
	case cut.timeAsked:
		return bossStatus(http.StatusBadRequest, 2005, "The cutout service JPEG interface does not support 4D cutouts")
	case cut.datatype != voxel.Uint8:
		return bossStatus(http.StatusBadRequest, wrongData, "The cutout service JPEG interface only supports uint8 image data")
	}
	return s.render(c, cut, pack)
}

// accessMode reports whether the parameter is one that there is.
func (c *call) accessMode() bool {
	switch c.URL.Query().Get("access-mode") {
	case "", "cache", "no-cache", "raw":
		return true
	}
	return false
}

// unreadable reports whether spdb fails where all else was in order.
func (cut cutout) unreadable() bool {
	return cut.annotation && cut.key.level > cut.base && !cut.downsampled ||
		!cut.annotation && cut.datatype == voxel.Uint64 || cut.times.Empty()
}

// A packer appends a cutout's voxels to body in the form that was asked for.
type packer func(body []byte, c *call, cut cutout, voxels []byte) ([]byte, error)

// render reads a cutout and packs it.
func (s *Server) render(c *call, cut cutout, pack packer) reply {
	n := min(2*cut.bytes(), s.opt.Memory) // the voxels and the answer
	if err := s.memory.Acquire(c.Context(), n); err != nil {
		return page(http.StatusInternalServerError)
	}
	data, body := s.buffers.get(), s.buffers.get()
	defer s.buffers.put(data)
	free := func() { s.memory.Release(n); s.buffers.put(body) }
	err := s.read(c, cut, data)
	if err == nil {
		*body, err = pack(*body, c, cut, *data)
	}
	if err != nil {
		s.log.Error("read cutout", "err", err)
		p := page(http.StatusInternalServerError)
		p.free = free
		return p
	}
	return reply{status: http.StatusOK, kind: c.accept, body: *body, free: free}
}

// read fills data with a cutout's voxels.
func (s *Server) read(c *call, cut cutout, data *buffer) error {
	data.resize(int(cut.bytes()))
	if cut.cloudVolume {
		clear(*data)
	} else if err := cut.blocks(*data, s.volume.read); err != nil {
		return err
	}
	if c.raw() {
		return cut.blocks(*data, s.hidden.mask)
	}
	return nil
}

// pack is the packer of the cutout service.
func pack(body []byte, c *call, cut cutout, voxels []byte) ([]byte, error) {
	switch c.accept {
	case npygzType:
		return appendNPYGZ(body, voxels, cut.datatype, cut.shape())
	case jpegType: // the slices below each other
		size := cut.box.Size()
		return appendJPEG(body, grayImage(voxels, size.X, size.Y*size.Z), 85)
	}
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		return body, err
	}
	// The item size is that in bits, as the server has it by mistake.
	return e.Append(body, voxels, 8*cut.datatype.Size())
}

// A buffer is memory that is used again.
type buffer []byte

// bufferPool keeps buffers. The zero value is an empty pool.
type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		*b = (*b)[:0]
		return b
	}
	return new(buffer)
}

func (p *bufferPool) put(b *buffer) { p.pool.Put(b) }

// resize makes b n bytes of whatever was there.
func (b *buffer) resize(n int) {
	if cap(*b) < n {
		*b = make(buffer, n)
	}
	*b = (*b)[:n]
}

// read reads n bytes to b. Memory grows with what arrives, not with what was
// announced.
func (b *buffer) read(r io.Reader, n int64) error {
	const trust = 32 << 20
	w := bytes.NewBuffer((*b)[:0])
	w.Grow(int(min(n, trust)))
	got, err := io.CopyN(w, r, n)
	*b = w.Bytes()
	if err != nil {
		return fmt.Errorf("body: %d of %d bytes: %w", got, n, err)
	}
	return nil
}
