package boss

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// What plan.Memory counts for a worker beside cuboid and frame holds the encoder
// of its frame, and that with which one of the workers takes samples.
func TestEncoderKeepsToThePlan(t *testing.T) {
	const plan = 4 << 20
	rnd := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 4<<20)
	for i := range data {
		data[i] = byte(100 + rnd.NormFloat64()*20)
	}
	out := make([]byte, 0, blosc.MaxLen(len(data)))
	for _, size := range []int{1, 2, 4, 8} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var e encoder
		for _, how := range candidates {
			encoder, err := e.get(how)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := encoder.Append(out, data, size); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(e)
		runtime.KeepAlive(out)
		runtime.KeepAlive(data)
		took := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		t.Logf("items of %d: %d KiB", size, took>>10)
		if took > plan {
			t.Errorf("items of %d: the encoder keeps %d KiB, and %d are planned", size, took>>10, plan>>10)
		}
	}
}
