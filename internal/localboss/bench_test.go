package localboss_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

func benchTiny(b *testing.B, dir string) {
	s, err := localboss.New(localboss.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	send := func(method, path, body, kind string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Token "+s.Token())
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Code
	}
	send("POST", "/v1/collection/c", "{}", "application/json")
	send("POST", "/v1/coord/f", strings.NewReplacer("2000", "2000000").Replace(frameBody), "application/json")
	send("POST", em, experimentBody, "application/json")
	send("POST", em+"/channel/image8", channelBody("image", "uint8"), "application/json")
	data := make([]byte, 1024*16)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range data { // gray noise that compresses somewhat
		data[i] = byte(100 + rnd.NormFloat64()*8)
	}
	body := frame(b, data, voxel.Uint8)
	x := 0
	for b.Loop() {
		path := fmt.Sprintf("/v1/cutout/c/e/image8/0/%d:%d/0:1024/0:16/", x, x+1)
		if got := send("POST", path, body, "application/blosc"); got != 201 {
			b.Fatalf("%s: %d", path, got)
		}
		x++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cutouts/s")
}

func BenchmarkTiny(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchTiny(b, "") })
	b.Run("dir", func(b *testing.B) { benchTiny(b, b.TempDir()) })
}
