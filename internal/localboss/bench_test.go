package localboss_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// benchmark posts cutouts of that size side by side, and does nothing else.
func benchmark(b *testing.B, size voxel.Point) {
	for _, where := range []string{"memory", "dir"} {
		b.Run(where, func(b *testing.B) {
			var opt localboss.Options
			if where == "dir" {
				opt.Dir = b.TempDir()
			}
			s, err := localboss.New(opt)
			if err != nil {
				b.Fatal(err)
			}
			ask(s, "POST", "/v1/collection/c", "{}")
			ask(s, "POST", "/v1/coord/f", strings.NewReplacer("2000", "2000000").Replace(frameBody))
			ask(s, "POST", em, experimentBody)
			ask(s, "POST", em+"/channel/image8", channelBody("image", "uint8"))
			data := make([]byte, size.X*size.Y*size.Z)
			rnd := rand.New(rand.NewPCG(1, 2))
			for i := range data { // gray noise that compresses somewhat
				data[i] = byte(100 + rnd.NormFloat64()*8)
			}
			body := frame(b, data, voxel.Uint8)
			b.SetBytes(int64(len(data)))
			x := 0
			for b.Loop() {
				path := fmt.Sprintf("/v1/cutout/c/e/image8/0/%d:%d/0:%d/0:%d/", x, x+size.X, size.Y, size.Z)
				if got := ask(s, "POST", path, body).Code; got != 201 {
					b.Fatalf("%s: %d", path, got)
				}
				x = (x + size.X) % 1_000_000
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cutouts/s")
		})
	}
}

// Cutouts as a client should cut them: of four whole cubes.
func BenchmarkPost(b *testing.B) { benchmark(b, voxel.Point{X: 1024, Y: 1024, Z: 16}) }

// Cutouts that each touch two cubes, 512 of them the same two.
func BenchmarkTiny(b *testing.B) { benchmark(b, voxel.Point{X: 1, Y: 1024, Z: 16}) }
