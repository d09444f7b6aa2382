package tiff_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

// ifd is a file that has only a directory of these entries and what they point at.
func ifd(entries ...[]any) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	b.WriteString("II*\x00\x08\x00\x00\x00")
	binary.Write(&b, le, uint16(len(entries)))
	for _, e := range entries {
		binary.Write(&b, le, uint16(e[0].(int)))
		binary.Write(&b, le, uint16(e[1].(int)))
		binary.Write(&b, le, uint32(e[2].(int)))
		binary.Write(&b, le, uint32(e[3].(int)))
	}
	return append(b.Bytes(), 0, 0, 0, 0)
}

func TestReadMetadata(t *testing.T) {
	const end = 8 + 2 + 4*12 + 4 // where the values begin
	file := ifd([]any{270, 2, 6, end}, []any{282, 5, 1, end + 8}, []any{283, 5, 1, end + 16}, []any{296, 3, 1, 3})
	values := []byte("a fly\x00\x00\x00" + "\x0a\x00\x00\x00\x04\x00\x00\x00" + "\x01\x00\x00\x00\x00\x00\x00\x00")
	whole := append(file, values...)
	for _, tt := range []struct {
		what string
		file []byte
		want tiff.Metadata
	}{
		{"all", whole, tiff.Metadata{Description: "a fly", Resolution: [2]float64{2.5, 0}, ResolutionUnit: tiff.Centimeter}},
		{"cut off", file, tiff.Metadata{ResolutionUnit: tiff.Centimeter}},
		{"none of it", ifd([]any{256, 3, 1, 5}), tiff.Metadata{ResolutionUnit: tiff.Inch}},
		{"a wrong unit", ifd([]any{296, 3, 1, 77}), tiff.Metadata{ResolutionUnit: tiff.NoUnit}},
		{"of a wrong type", ifd([]any{282, 4, 1, 77}), tiff.Metadata{ResolutionUnit: tiff.Inch}},
	} {
		got, err := tiff.ReadMetadata(bytes.NewReader(tt.file), int64(len(tt.file)))
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", tt.what, got, err, tt.want)
		}
	}
	if got, err := tiff.ReadMetadata(bytes.NewReader([]byte("GIF89a..")), 8); err == nil {
		t.Errorf("no TIFF: %+v, want an error", got)
	}
}

// FuzzMetadata: whatever a file says, it is metadata or an error.
func FuzzMetadata(f *testing.F) {
	f.Add(ifd([]any{270, 2, 6, 62}, []any{282, 5, 1, 62}, []any{283, 5, 1, 4}, []any{296, 3, 1, 3}))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := tiff.ReadMetadata(bytes.NewReader(p), int64(len(p)))
		if len(m.Description) > 1<<16 || m.Resolution[0] < 0 || err != nil && m != (tiff.Metadata{}) {
			t.Errorf("%+v, %v", m, err)
		}
	})
}
