package localboss

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A cube is kept as a log of what was done to it, oldest first. So a write of a
// few voxels appends a few bytes, whatever is there already, and a cube of few
// voxels stays small.
//
// A record is
//
//	0   length of the blosc frame, 4 bytes
//	4   what was done
//	5   0
//	6   to which part of the cube: x0 x1 y0 y1 z0 z1, 2 bytes each
//	18  CRC-32C of the frame
//	22  CRC-32C of the 22 bytes before
//	26  the frame: for a merge the voxels of the part, else nothing
//
// with numbers in little-endian. A process that is killed while it appends
// leaves the first part of a record at the end of the log. That was answered to
// nobody, so it is as good as not there. Whatever else is wrong is an error.
const recordHead = 26

// What is done to a cube.
const (
	opMerge = 1 // voxels that are not zero replace those that are there
	opBlack = 2 // the part becomes zero
)

// A record is one of a log's, its frame in the log's own memory.
type record struct {
	op    byte
	part  voxel.Box // from the cube's corner
	frame []byte
}

var (
	errTorn    = errors.New("the log of a cube ends within a record")
	errDamaged = errors.New("the log of a cube is damaged")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends the head of a record and its frame, which frame appends.
func appendRecord(log []byte, op byte, part voxel.Box, frame func([]byte) ([]byte, error)) ([]byte, error) {
	at := len(log)
	log, err := frame(append(log, make([]byte, recordHead)...))
	if err != nil {
		return log[:at], err
	}
	le := binary.LittleEndian
	p := log[at:]
	le.PutUint32(p, uint32(len(p)-recordHead))
	p[4] = op
	for i, v := range [6]int{part.Min.X, part.Max.X, part.Min.Y, part.Max.Y, part.Min.Z, part.Max.Z} {
		le.PutUint16(p[6+2*i:], uint16(v))
	}
	le.PutUint32(p[18:], crc32.Checksum(p[recordHead:], castagnoli))
	le.PutUint32(p[22:], crc32.Checksum(p[:22], castagnoli))
	return log, nil
}

// nextRecord takes the first record off a log that is not empty. The error is
// errTorn where the log ends too early, and errDamaged where it is no log.
func nextRecord(log []byte) (r record, rest []byte, err error) {
	if len(log) < recordHead {
		return record{}, nil, errTorn
	}
	le := binary.LittleEndian
	if crc32.Checksum(log[:22], castagnoli) != le.Uint32(log[22:]) {
		return record{}, nil, errDamaged
	}
	var v [6]int
	for i := range v {
		v[i] = int(le.Uint16(log[6+2*i:]))
	}
	r = record{op: log[4], part: voxel.NewBox(voxel.Range{Min: v[0], Max: v[1]}, voxel.Range{Min: v[2], Max: v[3]}, voxel.Range{Min: v[4], Max: v[5]})}
	if r.op != opMerge && r.op != opBlack || r.part.Empty() || !(voxel.Box{Max: cube}).Contains(r.part) {
		return record{}, nil, errDamaged
	}
	n, body := uint64(le.Uint32(log)), log[recordHead:]
	if n > uint64(len(body)) {
		return record{}, nil, errTorn
	}
	r.frame = body[:n]
	if crc32.Checksum(r.frame, castagnoli) != le.Uint32(log[18:]) {
		return record{}, nil, errDamaged
	}
	return r, body[n:], nil
}
