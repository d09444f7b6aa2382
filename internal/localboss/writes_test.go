package localboss_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// writes reads /local/writes.
func (b *boss) writes() localboss.Writes {
	b.t.Helper()
	var w localboss.Writes
	if err := json.Unmarshal(b.must(200, "GET", "/local/writes", "").body, &w); err != nil {
		b.t.Fatal(err)
	}
	return w
}

// What is stored is counted, whether or not the client hears of it, and what is
// not is not. The counts outlive the server.
func TestWrites(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		b := serve(t, localboss.Options{Control: true, Dir: dir})
		b.fill()
		body := frame(t, make([]byte, 64), voxel.Uint8)
		const other = "/v1/cutout/c/e/label8/1/0:4/0:4/0:4/0:1/"
		for i, kind := range []localboss.Kind{"", localboss.DropAnswer, localboss.CutAnswer, localboss.Lock, localboss.DropBody} {
			b.set()
			if kind != "" {
				b.set(localboss.Fault{Kind: kind, Path: "/v1/"})
			}
			a, err := b.do("POST", cellPath, body, bloscBody)
			if stored := err == nil && a.status == 201; stored != (i == 0) {
				t.Errorf("%s: %v, %v", kind, a, err)
			}
		}
		b.set()
		b.must(400, "POST", cellPath, body[:20], bloscBody)
		b.must(201, "POST", other, body, bloscBody)
		b.must(200, "PUT", "/v1/cutout/to_black/c/e/label8/1/0:4/0:4/0:4/0:1", "")
		n := int64(len(body))
		want := localboss.Writes{
			Cutouts: []localboss.Written{
				{Path: "c/e/image8/0/0:4/0:4/0:4", Channel: "c/e/image8", Box: "0:4/0:4/0:4", Posts: 3, Bytes: 3 * 64, Sent: 3 * n},
				{Path: "c/e/label8/1/0:4/0:4/0:4/0:1", Channel: "c/e/label8", Resolution: 1, Box: "0:4/0:4/0:4/0:1", Posts: 1, Blacks: 1, Bytes: 64, Sent: n},
			},
			Total:        localboss.Written{Posts: 4, Blacks: 1, Bytes: 4 * 64, Sent: 4 * n},
			MostInFlight: 1,
		}
		if got := b.writes(); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if dir != "" {
			torn, err := os.OpenFile(filepath.Join(dir, "writes.log"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(torn, "POST c/e/image8/0/0:4/0:4/0:4 64 1") // the server was killed
			torn.Close()
			b = serve(t, localboss.Options{Control: true, Dir: dir})
			want.MostInFlight = 0
			if got := b.writes(); !reflect.DeepEqual(got, want) {
				t.Errorf("after a restart:\ngot  %+v\nwant %+v", got, want)
			}
			b.must(201, "POST", cellPath, body, bloscBody)
			b = serve(t, localboss.Options{Control: true, Dir: dir})
			if got := b.writes().Total.Posts; got != 5 {
				t.Errorf("%d posts after another restart, want 5", got)
			}
		}
		for _, method := range []string{"PUT", "DELETE"} {
			b.must(201, "POST", cellPath, body, bloscBody)
			b.must(200, method, "/local/writes", "")
			if got := b.writes(); len(got.Cutouts) != 0 || got.Total != (localboss.Written{}) {
				t.Errorf("after %s: %+v", method, got)
			}
		}
	}
}

func TestWritesRefused(t *testing.T) {
	b := serve(t, localboss.Options{Control: true})
	b.must(405, "POST", "/local/writes", "")
	b.must(401, "GET", "/local/writes", "", nobody)
	b.must(401, "DELETE", "/local/writes", "", wrong)
	closed := serve(t, localboss.Options{})
	closed.must(404, "GET", "/local/writes", "")
	closed.fill()
	closed.post("image8", 0, &voxel.Block{Box: box(0, 1, 0, 1, 0, 1), Type: voxel.Uint8, Data: []byte{1}})
	if got := closed.Writes(); len(got.Cutouts) > 0 {
		t.Errorf("counted without being asked to: %+v", got)
	}

	dir := t.TempDir()
	for _, line := range []string{"POST", "POST a/b/c 1 2", "POST c/e/ch/0/0:1/0:1/0:1 x y"} {
		if err := os.WriteFile(filepath.Join(dir, "writes.log"), []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := localboss.New(localboss.Options{Dir: dir, Control: true}); err == nil {
			t.Errorf("%q is taken for a count", line)
		}
	}
}

// In flight are the requests at work, but not the one that asks.
func TestInFlight(t *testing.T) {
	b := serve(t, localboss.Options{Control: true, Faults: []localboss.Fault{{Kind: localboss.Hang}}})
	var g sync.WaitGroup
	for range 3 {
		g.Go(func() { b.do("GET", "/v1/coord/", "") })
	}
	for b.writes().InFlight < 3 {
		time.Sleep(time.Millisecond)
	}
	b.Close()
	g.Wait()
	for b.Writes().InFlight > 0 { // the clients know of the end before the last line here
		time.Sleep(time.Millisecond)
	}
	if got := b.Writes().MostInFlight; got != 3 {
		t.Errorf("most in flight %d, want 3", got)
	}
}
