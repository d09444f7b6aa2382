package raster

import (
	"encoding/binary"
	"fmt"
)

// pngEnd ends PNG files: IEND, its length and its checksum (11.2.5).
const pngEnd = "\x00\x00\x00\x00IEND\xaeB`\x82"

// maxWalk bounds a walk over all chunks; of the 8 KiB that libpng writes they
// are half a gigabyte.
const maxWalk = 1 << 16

// findEnd looks whether the file ends as it should, and if not, walks over the
// chunks from the first pixels on to the one that is not there: files may go on
// behind their end.
//
// The look is one small read for each image; from S3 it is a request of its own,
// unless the image fits into what the first one brings. It is worth that: a file
// that is cut short is lost as a whole, and without the look nobody knew before
// its pixels were decoded, perhaps hours after its neighbours were posted. Beside
// the pixels it is little: some 30 ms in which other slices are opened, too, and
// one request more than the ten for an image of 10 MB. The walk is only for files
// that end otherwise, nearly all of which are cut short.
func (m *pngImage) findEnd(pixels int64) error {
	var tail [len(pngEnd)]byte
	if err := m.readAt(tail[:], m.size-int64(len(tail))); err != nil {
		return err
	}
	if string(tail[:]) == pngEnd {
		return nil
	}
	at := pixels
	for range maxWalk {
		var p [8]byte // its length and its name
		if at+int64(len(p)) > m.size {
			m.damage = m.truncated(at + int64(len(pngEnd)))
			return nil
		}
		if err := m.readAt(p[:], at); err != nil {
			return err
		}
		if !isName(p[4:]) {
			m.damage = fmt.Errorf("there is no chunk at offset %d", at)
			return nil
		}
		end := at + 12 + int64(binary.BigEndian.Uint32(p[:]))
		if end > m.size {
			m.damage = m.truncated(end)
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

// truncated is the error that a chunk ends beyond the file.
func (m *pngImage) truncated(end int64) error {
	return fmt.Errorf("truncated: a chunk ends at offset %d, the file has %d bytes", end, m.size)
}

// Damage implements rows.
func (m *pngImage) Damage() error {
	if m.damage == nil {
		return nil
	}
	return fmt.Errorf("png: %w", m.damage)
}
