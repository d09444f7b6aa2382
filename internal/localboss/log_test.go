package localboss_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Whatever lies in the file of a cube, a read and a write are answered: as ever,
// or with the error that BOSS has for its store.
func FuzzCubeFile(f *testing.F) {
	dir := f.TempDir()
	s, err := localboss.New(localboss.Options{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	body := frame(f, make([]byte, 64), voxel.Uint8)
	some := frame(f, []byte{1, 2, 3, 4}, voxel.Uint8)
	ask(s, "POST", "/v1/collection/c", "{}")
	ask(s, "POST", "/v1/coord/f", frameBody)
	ask(s, "POST", em, experimentBody)
	ask(s, "POST", em+"/channel/ch", channelBody("image", "uint8"))
	ask(s, "POST", "/v1/cutout/c/e/ch/0/0:4/0:1/0:1/", some)
	path := cubeFile(f, dir)
	one, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	ask(s, "PUT", "/v1/cutout/to_black/c/e/ch/0/1:2/0:1/0:1/", "")
	two, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(one)
	f.Add(two)
	f.Add(one[:20])
	f.Add(two[:len(two)-1])
	f.Add(two[1:])
	for i := range one {
		damaged := append([]byte(nil), two...)
		damaged[i] ^= 0x41
		f.Add(damaged)
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		if err := os.WriteFile(path, log, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := localboss.New(localboss.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		read := ask(s, "GET", "/v1/cutout/c/e/ch/0/0:4/0:4/0:4/", "").Code
		write := ask(s, "POST", "/v1/cutout/c/e/ch/0/0:4/0:4/0:4/", body) // zeros
		black := ask(s, "PUT", "/v1/cutout/to_black/c/e/ch/0/0:9/0:4/0:4/", "").Code
		if read != 200 && read != 500 || write.Code != 201 && write.Code != 400 || black != 200 && black != 500 {
			t.Errorf("read %d, write %d %s, to_black %d", read, write.Code, write.Body, black)
		}
		if read == 200 && black != 200 {
			t.Errorf("what can be read cannot be blackened: %d", black)
		}
	})
}

// Cubes of few voxels take little, however they were written: 20,000 of them are
// no burden. And a log of many writes does not grow without end.
func TestSmallLogs(t *testing.T) {
	dir := t.TempDir()
	b := serve(t, localboss.Options{Dir: dir})
	b.fill()
	whole := box(0, 512, 0, 512, 0, 16)
	block := voxel.NewBlock(whole, voxel.Uint8)
	for i := 0; i < len(block.Data); i += len(block.Data) / 20 {
		block.Data[i] = 7
	}
	b.post("image8", 0, block)
	path := cubeFile(t, dir)
	if n := fileLen(t, path); n > 8<<10 {
		t.Errorf("a cube with 20 voxels is %d bytes", n)
	}
	b.blacken("image8", 0, whole)
	if _, err := os.Stat(path); err == nil {
		t.Error("a cube is erased, and there")
	}
	one := voxel.NewBlock(box(9, 10, 0, 1, 0, 1), voxel.Uint8)
	one.Data[0] = 1
	for range 600 {
		b.post("image8", 0, one)
	}
	if n := fileLen(t, path); n > 32<<10 {
		t.Errorf("a voxel written often is %d bytes", n)
	}
	for i := range 100 {
		b.blacken("image8", 0, box(i, i+1, 0, 512, 0, 16))
	}
	for range 300 {
		b.blacken("image8", 0, box(0, 16, 0, 1, 0, 1))
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a cube was erased part by part, and is there")
	}
}

// A damaged log is an error, not other voxels.
func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	b := serve(t, localboss.Options{Dir: dir})
	b.fill()
	at := box(3, 7, 0, 1, 0, 1)
	b.post("image8", 0, &voxel.Block{Box: at, Type: voxel.Uint8, Data: []byte{1, 2, 3, 4}})
	path := cubeFile(t, dir)
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range log {
		damaged := append([]byte(nil), log...)
		damaged[i] ^= 0x41
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := localboss.New(localboss.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("/v1/cutout/c/e/image8/0/%v/", at)
		read := ask(s, "GET", path, "")
		write := ask(s, "POST", path, frame(t, []byte{9, 9, 9, 9}, voxel.Uint8))
		if read.Code != 500 || write.Code != 400 || !strings.Contains(write.Body.String(), `"code":9001`) {
			t.Errorf("byte %d: read %d, write %d %s", i, read.Code, write.Code, write.Body)
		}
	}
}

// A log whose last record is torn is what it was before that, and goes on.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	b := serve(t, localboss.Options{Dir: dir})
	b.fill()
	at := box(3, 40, 5, 20, 7, 9)
	voxels := func(v byte, n int) *voxel.Block {
		block := voxel.NewBlock(at, voxel.Uint8)
		copy(block.Data, bytes.Repeat([]byte{v}, n))
		return block
	}
	first, second, third := voxels(1, len(voxels(0, 0).Data)), voxels(2, 99), voxels(3, 50)
	b.post("image8", 0, first)
	path := cubeFile(t, dir)
	whole := fileLen(t, path)
	b.post("image8", 0, second)
	for n := whole; n < fileLen(t, path); n += 3 {
		again := t.TempDir()
		if err := os.CopyFS(again, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(cubeFile(t, again), n); err != nil {
			t.Fatal(err)
		}
		b := serve(t, localboss.Options{Dir: again})
		if got := b.get("image8", 0, at, voxel.Uint8); !bytes.Equal(got.Data, first.Data) {
			t.Fatalf("cut to %d bytes: another volume than before the last write", n)
		}
		b.post("image8", 0, third)
		want := voxel.NewBlock(at, voxel.Uint8)
		overlay(want, first)
		overlay(want, third)
		b = serve(t, localboss.Options{Dir: again})
		if got := b.get("image8", 0, at, voxel.Uint8); !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("cut to %d bytes, then written: another volume than was written", n)
		}
	}
}

func cubeFile(t testing.TB, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "cubes", "*", "*", "*", "*.log"))
	if err != nil || len(all) != 1 {
		t.Fatalf("cubes %v, %v, want one", all, err)
	}
	return all[0]
}

func fileLen(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
