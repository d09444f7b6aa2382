package png

import (
	"encoding/binary"
	"fmt"
)

// endChunk ends PNG files: IEND, its length and its checksum (11.2.5).
const endChunk = "\x00\x00\x00\x00IEND\xaeB`\x82"

// maxWalk bounds a walk over all chunks; of the 8 KiB that libpng writes they
// are half a gigabyte.
const maxWalk = 1 << 16

// findEnd looks whether the file ends as it should, and if not, walks over the
// chunks from the first pixels on to the one that is not there: files may go on
// behind their end.
//
// The look is one small read for each image; from S3 it is a request of its own,
// unless the image fits into what the first one brings. It is worth that: without
// it nobody knew that a file is cut short before its last rows were decoded,
// perhaps hours after its neighbours were posted. Beside the pixels it is little:
// some 30 ms in which other slices are opened, too, and one request more than the
// ten for an image of 10 MB. The walk is only for files that end otherwise, nearly
// all of which are cut short.
func (m *Image) findEnd() error {
	var tail [len(endChunk)]byte
	if err := m.readAt(tail[:], m.size-int64(len(tail))); err != nil {
		return err
	}
	if string(tail[:]) == endChunk {
		return nil
	}
	at := m.pixels
	for range maxWalk {
		var p [8]byte // its length and its name
		if at+int64(len(p)) > m.size {
			m.damage = truncated(at+int64(len(endChunk)), m.size)
			return nil
		}
		if err := m.readAt(p[:], at); err != nil {
			return err
		}
		if !isName(p[4:]) {
			m.damage = noChunk(at)
			return nil
		}
		end := at + 12 + int64(binary.BigEndian.Uint32(p[:]))
		if end > m.size {
			m.damage = truncated(end, m.size)
			return nil
		}
		if string(p[4:]) == "IEND" {
			return nil
		}
		at = end
	}
	return nil // nobody knows
}

// isName reports whether p can be the name of a chunk: four letters (5.4).
func isName(p []byte) bool {
	for _, c := range p {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

// Damage says what is missing, if the file is cut short or its chunks end before
// the last; nil if all seems to be there. ReadRows gives the rows above, and then
// fails for this reason.
func (m *Image) Damage() error {
	if m.damage == nil {
		return nil
	}
	return fmt.Errorf("png: %w", m.damage)
}
