package localboss_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// status is how far the server is with a channel of experiment e.
func (b *boss) status(channel string) string {
	b.t.Helper()
	return b.must(200, "GET", "/v1/downsample/c/e/"+channel, "").fields()["status"].(string)
}

// downsample computes the lower resolutions of a channel and waits for them.
func (b *boss) downsample(channel string) {
	b.t.Helper()
	b.must(201, "POST", "/v1/downsample/c/e/"+channel, "")
	b.await(channel, "DOWNSAMPLED")
}

func (b *boss) await(channel, want string) {
	b.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); b.status(channel) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s is %s after five minutes, want %s", channel, b.status(channel), want)
		}
	}
}

// isotropic makes experiment e one whose levels halve z too.
func (b *boss) isotropic() {
	b.must(200, "PUT", em, `{"hierarchy_method":"isotropic"}`)
}

// twin is what Python makes of a level: of images by Pillow, which is what BOSS
// uses, in 32 bits for uint16, since Debian's Pillow has no resize for 16.
// Labels are made as spdb's C says, with NumPy. data is one group of 1024×1024.
const twin = `
from PIL import Image
def shrink(a, labels, step):
    if not labels:
        mode = 'L' if a.dtype == np.uint8 else 'I'
        b = [np.asarray(Image.fromarray(s.astype(np.uint8 if mode == 'L' else np.int32), mode).resize((a.shape[2]//2, a.shape[1]//2), Image.BILINEAR)) for s in a[::step]]
        return np.stack(b).astype(a.dtype)
    def pick(s):
        p, q, r, t = s[0::2, 0::2], s[0::2, 1::2], s[1::2, 0::2], s[1::2, 1::2]
        v = np.where(p == 0, q, p)
        v = np.where((r != 0) & ((v == 0) | (r == p) | (r == q)), r, v)
        return np.where((t != 0) & (v != 0) & ((t == p) | (t == q) | (t == r)), t, v)
    b = np.stack([pick(s) for s in a])
    return b if step == 1 else np.where(b[0::2] == 0, b[1::2], b[0::2])
`

// What the levels hold is what another program makes of the voxels, of every
// type and by both methods, in memory and in a directory.
func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		channel   string
		typ       voxel.Type
		isotropic bool
		dir       bool
	}{
		{"image8", voxel.Uint8, false, true},
		{"image8", voxel.Uint8, true, false},
		{"image16", voxel.Uint16, false, false},
		{"image16", voxel.Uint16, true, true},
		{"label64", voxel.Uint64, false, true},
		{"label64", voxel.Uint64, true, false},
		{"label16", voxel.Uint16, false, false},
	} {
		t.Run(fmt.Sprintf("%s/isotropic=%v", tt.channel, tt.isotropic), func(t *testing.T) {
			opt := localboss.Options{}
			if tt.dir {
				opt.Dir = t.TempDir()
			}
			b := serve(t, opt)
			b.fill()
			step, depth := 1, 4
			if tt.isotropic {
				b.isotropic()
				step, depth = 2, 20 // in two layers of cubes
			}
			labels := strings.HasPrefix(tt.channel, "label")
			width := 1024 // of a group of cubes: images have edges there
			if labels {
				width = 128
			}
			deep, strips := voxel.Range{Min: max(0, depth-8), Max: depth}, []voxel.Range{{Max: width}}
			if !labels { // at the edges of the group and of its cubes: more takes only longer
				strips = []voxel.Range{{Min: 0, Max: 64}, {Min: 480, Max: 544}, {Min: 960, Max: 1024}}
			}
			full := voxel.NewBlock(box(0, width, 0, width, 0, depth), tt.typ)
			for _, y := range strips {
				strip := patches(voxel.NewBox(voxel.Range{Max: width}, y, deep), tt.typ)
				b.post(tt.channel, 0, strip)
				for z := deep.Min; z < deep.Max; z++ {
					copy(full.Rows(z, y).Data, strip.Slice(z).Data)
				}
			}
			// One voxel in another group of cubes, which has an edge of its own.
			far := &voxel.Block{Box: box(1024, 1025, 1024, 1025, 32, 33), Type: tt.typ, Data: append([]byte{200}, make([]byte, tt.typ.Size()-1)...)}
			b.post(tt.channel, 0, far)
			b.downsample(tt.channel)

			want := full.Data
			size := [3]int{width, width, depth}
			for level := 1; level <= 2; level++ {
				want = peer(t, fmt.Sprintf("%s\na = np.frombuffer(data, np.%v).reshape(%d, %d, %d)\nout(shrink(a, %s, %d).tobytes())",
					twin, tt.typ, size[2], size[1], size[0], pyBool(labels), step), want)
				size = [3]int{size[0] / 2, size[1] / 2, size[2] / step}
				at := box(0, size[0], 0, size[1], 0, size[2])
				if level == 2 { // whose other half is in the same group of cubes
					at = box(0, size[0]-1, 0, size[1]-1, 0, size[2])
				}
				got := b.get(tt.channel, level, at, tt.typ)
				w := &voxel.Block{Box: box(0, size[0], 0, size[1], 0, size[2]), Type: tt.typ, Data: want}
				part := voxel.NewBlock(at, tt.typ)
				part.Copy(w)
				if !bytes.Equal(got.Data, part.Data) {
					t.Fatalf("level %d: %s", level, firstDifference(got, part))
				}
			}
			if got := b.get(tt.channel, 1, box(512, 513, 512, 513, 32/step, 32/step+1), tt.typ); voxel.IsZero(got.Data) {
				t.Error("the voxel beyond the first cubes is in no level")
			}
		})
	}
}

func pyBool(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

func firstDifference(got, want *voxel.Block) string {
	for i := range got.Data {
		if got.Data[i] != want.Data[i] {
			n := i / got.Type.Size()
			size := got.Box.Size()
			return fmt.Sprintf("byte %d, at %d, %d, %d: got %d, want %d", i, n%size.X, n/size.X%size.Y, n/size.X/size.Y, got.Data[i], want.Data[i])
		}
	}
	return "equal"
}

// patches are small squares of few values, so that labels have neighbours.
func patches(at voxel.Box, typ voxel.Type) *voxel.Block {
	b := voxel.NewBlock(at, typ)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b.Data {
		if v := r.Uint32(); typ == voxel.Uint8 || i%typ.Size() < 2 {
			b.Data[i] = byte(v)
			if v>>16&3 == 0 {
				b.Data[i] = 0
			}
			if v>>20&3 != 0 && i >= typ.Size() {
				b.Data[i] = b.Data[i-typ.Size()]
			}
		}
	}
	return b
}

// What a server was at work on when it ended is begun again by the next.
func TestDownsampleResumes(t *testing.T) {
	dir := t.TempDir()
	b := serve(t, localboss.Options{Dir: dir, HoldDownsample: true})
	b.fill()
	b.post("image8", 0, patches(box(0, 64, 0, 64, 0, 2), voxel.Uint8))
	b.must(201, "POST", "/v1/downsample/c/e/image8", "")
	b.must(201, "POST", "/v1/downsample/c/e/label64", "")
	b.Close()
	p, err := os.ReadFile(dir + "/boss.json")
	if err != nil {
		t.Fatal(err)
	}
	// As one that was killed leaves it.
	killed := strings.Replace(string(p), `"QUEUED"`, `"IN_PROGRESS"`, 1)
	if killed == string(p) {
		t.Fatal("nothing is queued")
	}
	if err := os.WriteFile(dir+"/boss.json", []byte(killed), 0o644); err != nil {
		t.Fatal(err)
	}
	b = serve(t, localboss.Options{Dir: dir})
	b.await("image8", "DOWNSAMPLED")
	b.await("label64", "DOWNSAMPLED")
	if got := b.get("image8", 2, box(0, 16, 0, 16, 0, 2), voxel.Uint8); voxel.IsZero(got.Data) {
		t.Error("the levels are empty")
	}
}

// Work can be cancelled, does not keep posts waiting, and ends with the server.
func TestDownsampleCancel(t *testing.T) {
	b := serve(t, localboss.Options{Memory: 1}) // everything has to wait for its turn
	b.fill()
	b.post("image16", 0, patches(box(0, 1000, 0, 1000, 0, 2), voxel.Uint16))
	const ch = "/v1/downsample/c/e/image16"
	b.must(201, "POST", ch, "")
	b.must(409, "POST", ch, "") // waiting, at work or, if the machine had other things to do, done
	b.post("image16", 0, patches(box(0, 64, 0, 64, 0, 1), voxel.Uint16))
	for {
		if a, err := b.do("DELETE", ch, ""); err != nil {
			t.Fatal(err)
		} else if a.status == 204 {
			break
		}
		// It was done already. A post makes it one that can be begun again.
		b.post("image16", 0, patches(box(0, 64, 0, 64, 0, 1), voxel.Uint16))
		b.must(201, "POST", ch, "")
	}
	if got := b.status("image16"); got != "NOT_DOWNSAMPLED" {
		t.Errorf("cancelled: %s", got)
	}
	b.downsample("image16")
	b.must(201, "POST", "/v1/downsample/c/e/image8", "")
	b.Close()
}

// What was erased is gone from the levels when they are made again. What cannot
// be made fails.
func TestDownsampleAgain(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	b.post("label64", 0, patches(box(0, 128, 0, 128, 0, 16), voxel.Uint64))
	b.downsample("label64")
	b.must(200, "PUT", "/v1/cutout/to_black/c/e/label64/0/0:512/0:512/0:16/", "", "Content-Type: application/blosc")
	if got := b.status("label64"); got != "NOT_DOWNSAMPLED" {
		t.Errorf("after to_black: %s", got)
	}
	b.downsample("label64")
	if got := b.get("label64", 1, box(0, 64, 0, 64, 0, 16), voxel.Uint64); !voxel.IsZero(got.Data) {
		t.Error("the level has what the voxels no longer have")
	}
	b.must(201, "POST", "/v1/downsample/c/e/image64", "")
	b.await("image64", "FAILED")
}
