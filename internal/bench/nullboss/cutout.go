package nullboss

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

const (
	bloscType = "application/blosc"
	headerLen = 16 // of a Blosc 1 frame
	memcpyed  = 2  // its flag for voxels that are stored as they are

	maxCutout = 520 << 20 // bytes before compression that BOSS takes at once

	// bufferLen is how much of a body is read at a time: enough that the reads are
	// no cost, and little enough for the second-level cache.
	bufferLen = 256 << 10
)

var cutoutPath = regexp.MustCompile(`^/v1/cutout/([\w-]+)/([\w-]+)/([\w-]+)/\d/(\d+):(\d+)/(\d+):(\d+)/(\d+):(\d+)/?$`)

// itemSizes are the bytes of a voxel of the types that a channel can hold.
var itemSizes = map[string]int64{"uint8": 1, "uint16": 2, "uint64": 8}

// A cutout is what an address asks for.
type cutout struct {
	size  int64 // bytes before compression
	items int64 // bytes of a voxel
}

// A refusal is an error in BOSS's words.
type refusal struct {
	status, code int
	message      string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d/%d %s", r.status, r.code, r.message) }

func refused(status, code int, format string, args ...any) error {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

func (s *Server) cutout(w http.ResponseWriter, r *http.Request) {
	cut, err := s.parse(r.URL.Path)
	switch {
	case err != nil:
	case r.Method == http.MethodGet:
		black(w, cut)
		return
	case r.Method == http.MethodPost:
		err = s.take(r, cut)
	default:
		err = refused(http.StatusMethodNotAllowed, 0, "Method \"%s\" not allowed.", r.Method)
	}
	if err == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		return
	}
	s.countRefused(err)
	if no, ok := errors.AsType[*refusal](err); ok {
		refuse(w, no.status, no.code, "%s", no.message)
	} // else the body broke off, and nobody is there to answer
}

// parse judges the address of a cutout.
func (s *Server) parse(path string) (cutout, error) {
	m := cutoutPath.FindStringSubmatch(path)
	if m == nil {
		return cutout{}, refused(http.StatusNotFound, 0, "Not Found")
	}
	experiment := "/v1/collection/" + m[1] + "/experiment/" + m[2]
	of, _ := s.find(experiment)
	channel, ok := s.find(experiment + "/channel/" + m[3])
	frame, ok2 := s.find("/v1/coord/" + of.text("coord_frame"))
	items, ok3 := itemSizes[channel.text("datatype")]
	if !ok || !ok2 || !ok3 {
		return cutout{}, refused(http.StatusNotFound, 4000, "%s does not exist.", m[3])
	}
	cut := cutout{items: items, size: items}
	for i, axis := range []string{"x", "y", "z"} {
		lo, err := strconv.ParseInt(m[4+2*i], 10, 32)
		hi, err2 := strconv.ParseInt(m[5+2*i], 10, 32)
		if err != nil || err2 != nil || lo >= hi || lo < frame.number(axis+"_start") || hi > frame.number(axis+"_stop") {
			return cutout{}, refused(http.StatusBadRequest, 1001, "Incorrect cutout arguments %s", path)
		}
		if cut.size *= hi - lo; cut.size > maxCutout {
			return cutout{}, refused(http.StatusRequestEntityTooLarge, 2000, "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions.")
		}
	}
	return cut, nil
}

// take reads the body of a post. It judges what it can before: the first read
// is what tells a client that expects it to go on.
func (s *Server) take(r *http.Request, cut cutout) error {
	switch {
	case r.ContentLength <= 0:
		return refused(http.StatusInternalServerError, 0, "no Content-Length")
	case r.Header.Get("Content-Type") != bloscType:
		return refused(http.StatusUnsupportedMediaType, 0, "Unsupported media type \"%s\" in request.", r.Header.Get("Content-Type"))
	}
	var head [headerLen]byte
	got, err := io.ReadFull(r.Body, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	n, err := s.drain(r.Body)
	if err != nil {
		return err
	}
	if n += int64(got); n != r.ContentLength {
		return fmt.Errorf("%d bytes came of %d", n, r.ContentLength)
	}
	if err := judge(head, r.ContentLength, cut); err != nil {
		return err
	}
	s.count(r.URL.Path, cut.size, n)
	return nil
}

// judge compares the header of a frame (C-Blosc's README_CHUNK_FORMAT.rst) with
// what was sent, and with what the address says.
func judge(head [headerLen]byte, sent int64, cut cutout) error {
	le := binary.LittleEndian
	voxels, frame := int64(le.Uint32(head[4:])), int64(le.Uint32(head[12:]))
	switch {
	case head[0] != 2 || frame != sent || voxels%cut.items != 0:
		return refused(http.StatusBadRequest, 2001, "Failed to decompress data. Verify the datatype/bitdepth of your data matches the channel.")
	case voxels != cut.size:
		return refused(http.StatusBadRequest, 2002, "Failed to unpack data. Verify the datatype of your POSTed data and xyz dimensions used in the POST URL.")
	}
	return nil
}

// drain reads r to its end. Its buffer is larger than the server's own, so that
// nothing is copied by way of that one.
func (s *Server) drain(r io.Reader) (n int64, err error) {
	buffer, ok := s.buffers.Get().(*[bufferLen]byte)
	if !ok {
		buffer = new([bufferLen]byte)
	}
	defer s.buffers.Put(buffer)
	for {
		k, err := r.Read(buffer[:])
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func (s *Server) count(path string, voxels, sent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boxes == nil {
		s.boxes = make(map[string]bool)
	}
	if s.boxes[path] {
		s.counts.Repeated++
	}
	s.boxes[path] = true
	s.counts.Cutouts++
	s.counts.Voxels += voxels
	s.counts.Bytes += sent
}

func (s *Server) countRefused(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.Refused++; s.counts.Refused == 1 {
		s.counts.Reason = why.Error()
	}
}

// black answers with voxels that were never written, as a frame of them as they are.
func black(w http.ResponseWriter, cut cutout) {
	le := binary.LittleEndian
	frame := make([]byte, headerLen+cut.size)
	copy(frame, []byte{2, 1, memcpyed, byte(cut.items)})
	le.PutUint32(frame[4:], uint32(cut.size))
	le.PutUint32(frame[8:], uint32(cut.size))
	le.PutUint32(frame[12:], uint32(len(frame)))
	w.Header().Set("Content-Type", bloscType)
	w.Header().Set("Content-Length", strconv.Itoa(len(frame)))
	w.Write(frame) // a client that has left is counted by nobody
}
