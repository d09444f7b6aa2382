package boss_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// tissue is like electron microscopy: gray noise around a mean that drifts.
func tissue(box voxel.Box) *voxel.Block {
	b := voxel.NewBlock(box, voxel.Uint8)
	rnd := rand.New(rand.NewPCG(1, 2))
	size := box.Size()
	for i := range b.Data {
		x, y := i%size.X, i/size.X%size.Y
		b.Data[i] = byte(min(max(90+(x/16+y/16)%80+int(rnd.NormFloat64()*6), 1), 255))
	}
	return b
}

// A line lets all bodies together pass at a rate; 0 is no limit.
type line struct {
	mu   sync.Mutex
	rate float64 // bytes a second
	free time.Time
}

// take answers a post.
func (l *line) take(w http.ResponseWriter, r *http.Request) {
	for buf, err := make([]byte, 256<<10), error(nil); err == nil; {
		var n int
		n, err = r.Body.Read(buf)
		l.pass(n)
	}
	w.WriteHeader(http.StatusCreated)
}

// pass returns when n bytes have passed.
func (l *line) pass(n int) {
	if l.rate == 0 {
		return
	}
	l.mu.Lock()
	if now := time.Now(); l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	until := l.free
	l.mu.Unlock()
	time.Sleep(time.Until(until))
}

// BenchmarkCompression posts by way of lines of several speeds, which takes long:
//
//	go test -run xxx -bench Compression/0MB -benchtime 64x ./internal/boss
func BenchmarkCompression(b *testing.B) {
	cuboid := tissue(voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 16}})
	for _, rate := range []float64{0, 25e6, 400e6} {
		for _, workers := range []int{8, 32} {
			for _, how := range []boss.Compression{boss.LZ4, boss.Zstd, boss.Auto} {
				b.Run(fmt.Sprintf("%.0fMBs/%dworkers/%v", rate/1e6, workers, how), func(b *testing.B) {
					l := &line{rate: rate}
					c := serve(b, boss.Options{Compression: how, Workers: workers}, l.take)
					b.SetBytes(int64(len(cuboid.Data)))
					s := postAll(b, newChannel(b, c, voxel.Uint8), cuboid, workers, b.N)
					b.ReportMetric(float64(s.Frames)/float64(s.Voxels), "sent/voxel")
					b.ReportMetric(float64(s.Cuboids[boss.Zstd])/float64(b.N), "zstd/op")
				})
			}
		}
	}
}

// postAll posts a cuboid so many times by so many workers.
func postAll(tb testing.TB, ch *boss.Channel, cuboid *voxel.Block, workers, times int) boss.Sent {
	var wg sync.WaitGroup
	var n atomic.Int64
	for range workers {
		wg.Go(func() {
			for n.Add(1) <= int64(times) {
				if err := ch.Post(tb.Context(), cuboid); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return ch.Sent()
}
