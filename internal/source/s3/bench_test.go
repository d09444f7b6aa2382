package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/source/s3"
)

// The reads are those of stored rows, of cropped rows and of a decoder; 20 ms is
// how long S3 takes to its first byte when all is well.
func BenchmarkRead(b *testing.B) {
	const size = 64 << 20
	s := newStore(b)
	s.put("a", noise(size, 1))
	s.fault = func(http.ResponseWriter, *http.Request, int) bool {
		time.Sleep(20 * time.Millisecond)
		return false
	}
	for _, n := range []int{16 << 20, 256 << 10, 32 << 10, 4 << 10} {
		for _, files := range []int{1, 16} {
			b.Run(fmt.Sprintf("%dKiB/files=%d", n>>10, files), func(b *testing.B) {
				bucket := bucket(b, s.options())
				b.SetBytes(int64(files) * size)
				for b.Loop() {
					readAll(b, bucket, files, n)
				}
				b.ReportMetric(float64(s3.Held(bucket))/(1<<20), "MiB-held")
			})
		}
	}
}

// readAll reads a number of files side by side, n bytes at a time.
func readAll(b *testing.B, bucket *s3.Bucket, files, n int) {
	var wg sync.WaitGroup
	for range files {
		wg.Go(func() {
			f, err := bucket.Open(b.Context(), "a")
			if err != nil {
				b.Error(err)
				return
			}
			defer f.Close()
			p := make([]byte, n)
			for at := int64(0); at < f.Size(); at += int64(n) {
				if _, err := f.ReadAt(p, at); err != nil && err != io.EOF {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
