package tiff_test

import (
	"bytes"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

// FuzzTIFF opens and reads anything: no panic, no hang, memory within what Held
// says, and the same good rows and error whether it is read at once or in bands.
func FuzzTIFF(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.tif")
	if err != nil || len(names) == 0 {
		f.Fatal("no images", err)
	}
	for _, name := range names {
		p := readFile(f, name)
		f.Add(p, uint8(10))
		f.Add(p[:len(p)-len(p)/9], uint8(3))
	}
	f.Fuzz(func(t *testing.T, p []byte, rows uint8) {
		open := func() *tiff.Image {
			m, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
			if err != nil {
				return nil
			}
			return m
		}
		if m, err := tiff.OpenPage(bytes.NewReader(p), int64(len(p)), 1); err == nil {
			if w, h := m.Size(); int64(w)*int64(h)*int64(m.SampleSize()) <= 1<<22 {
				readBands(t, m, h)
			}
		}
		m := open()
		if m == nil {
			return
		}
		w, h := m.Size()
		if int64(w)*int64(h)*int64(m.SampleSize()) > 1<<22 {
			return // the caller would have known that it is no such image
		}
		if m.Held() < 0 {
			t.Fatalf("%d bytes held", m.Held())
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		all, good, whole := readBands(t, m, h)
		runtime.ReadMemStats(&after)
		if got := int64(after.TotalAlloc - before.TotalAlloc); got > int64(len(all))+m.Held()+1<<20+8*int64(len(p)) {
			t.Errorf("%d bytes allocated, Held says %d", got, m.Held())
		}
		if m.Damage() != nil && whole == nil {
			t.Errorf("read as a whole, but %v", m.Damage())
		}
		checkSteps(t, "fuzzed", p, all, good, whole, 1+int(rows))
	})
}
