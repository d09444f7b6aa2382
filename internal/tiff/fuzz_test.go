package tiff_test

import (
	"bytes"
	"image"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

// FuzzTIFF opens and reads anything: no panic, no hang, memory within what Held
// says, and the same pixels whether they are read at once or in bands.
func FuzzTIFF(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.tif")
	if err != nil || len(names) == 0 {
		f.Fatal("no images", err)
	}
	for _, name := range names {
		f.Add(readFile(f, name), uint8(10))
	}
	f.Fuzz(func(t *testing.T, p []byte, rows uint8) {
		open := func() *tiff.Image {
			m, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
			if err != nil {
				return nil
			}
			return m
		}
		m := open()
		if m == nil {
			return
		}
		w, h := m.Size()
		if int64(w)*int64(h)*int64(m.SampleSize()) > 1<<22 {
			return // the caller would have known that it is no such image
		}
		all := make([]byte, w*h*m.SampleSize())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		whole := m.ReadRows(t.Context(), all, image.Rect(0, 0, w, h))
		runtime.ReadMemStats(&after)
		if got := int64(after.TotalAlloc - before.TotalAlloc); got > m.Held()+1<<20+8*int64(len(p)) {
			t.Errorf("%d bytes allocated, Held says %d", got, m.Held())
		}
		m = open()
		var bands error
		n := 1 + int(rows)
		for y := 0; y < h && bands == nil; y += n {
			box := image.Rect(0, y, w, min(y+n, h))
			dst := make([]byte, box.Dx()*box.Dy()*m.SampleSize())
			bands = m.ReadRows(t.Context(), dst, box)
			if bands == nil && whole == nil && !bytes.Equal(dst, all[y*w*m.SampleSize():][:len(dst)]) {
				t.Errorf("%v differs when it is read by itself", box)
			}
		}
		if (whole == nil) != (bands == nil) {
			t.Errorf("at once: %v, in bands of %d: %v", whole, n, bands)
		}
	})
}
