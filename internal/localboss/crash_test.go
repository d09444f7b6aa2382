//go:build unix

package localboss_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

const (
	serveDir = "LOCALBOSS_TEST_DIR"   // makes the test binary a server in that directory
	fileSize = "LOCALBOSS_TEST_FSIZE" // that can write no file larger than this
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(serveDir); dir != "" {
		fmt.Fprintln(os.Stderr, serveForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serveForever serves until stdin ends. It says where on stdout.
func serveForever(dir string) error {
	if n, err := strconv.ParseUint(os.Getenv(fileSize), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	s, err := localboss.New(localboss.Options{Dir: dir, Token: testToken, Control: true})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%v\n", l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(l, s)
}

// A process is a server that can be killed.
type process struct {
	boss
	cmd   *exec.Cmd
	stdin io.Closer
}

// start starts a server as a process of its own; it ends with the test.
func start(t *testing.T, dir string, env ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), serveDir+"="+dir), env...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{boss: boss{t: t, token: testToken}, cmd: cmd, stdin: stdin}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("start a server: %v", err)
	}
	p.url = strings.TrimSpace(line)
	return p
}

// kill is kill -9. It returns when the process is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	p.stdin.Close()
}

// A writer writes voxels that no other writer writes, and knows what BOSS was
// asked to keep: meant is what was answered, doubt are the cutouts that were not.
type writer struct {
	name  byte
	rnd   *rand.Rand
	meant *voxel.Block
	doubt []*voxel.Block // a block of zeros is a to_black
	acks  map[string]int
	tries map[string]int
}

// step writes a random box, or one in eight times blackens one. It reports
// whether it was answered.
func (w *writer) step(b *boss) bool {
	part := w.box()
	block := voxel.NewBlock(part, w.meant.Type)
	method, prefix, body := "PUT", "/v1/cutout/to_black/", ""
	if w.rnd.IntN(8) > 0 {
		method, prefix = "POST", "/v1/cutout/"
		for i := range block.Data {
			block.Data[i] = byte(1 + w.rnd.IntN(255))
		}
		body = frame(b.t, block.Data, block.Type)
	}
	path := fmt.Sprintf("c/e/image8/0/%v", part)
	w.tries[method+path]++
	a, err := b.do(method, prefix+path+"/", body, bloscBody)
	if err != nil {
		w.doubt = append(w.doubt, block)
		return false
	}
	if want := map[string]int{"PUT": 200, "POST": 201}[method]; a.status != want {
		b.t.Errorf("%s %s: %v, want %d", method, path, a, want)
	}
	w.acks[method+path]++
	copyBlock(w.meant, block)
	return true
}

// box is some box of the writer's: of three cubes, the rows that are its own.
func (w *writer) box() voxel.Box {
	in := func(r voxel.Range) voxel.Range {
		n := 1 + w.rnd.IntN(r.Len())
		lo := r.Min + w.rnd.IntN(r.Len()-n+1)
		return voxel.Range{Min: lo, Max: lo + n}
	}
	b := w.meant.Box
	return voxel.NewBox(in(b.X()), in(b.Y()), in(b.Z()))
}

// copyBlock lays all of src over dst, zeros too.
func copyBlock(dst, src *voxel.Block) {
	for z := src.Box.Min.Z; z < src.Box.Max.Z; z++ {
		for y := src.Box.Min.Y; y < src.Box.Max.Y; y++ {
			copy(dst.Row(y, z)[src.Box.Min.X-dst.Box.Min.X:], src.Row(y, z))
		}
	}
}

// check compares BOSS with what was meant. A cutout in doubt is there or not,
// cube by cube; what BOSS has of it is what is meant from now on.
func (w *writer) check(b *boss) {
	got := b.get("image8", 0, w.meant.Box, w.meant.Type)
	bad := 0
	for z := got.Box.Min.Z; z < got.Box.Max.Z; z++ {
		for y := got.Box.Min.Y; y < got.Box.Max.Y; y++ {
			if bytes.Equal(got.Row(y, z), w.meant.Row(y, z)) {
				continue
			}
			for x, v := range got.Row(y, z) {
				if want := w.meant.Row(y, z)[x]; v != want && !w.doubtful(x, y, z, v) {
					bad++
				}
			}
		}
	}
	if bad > 0 {
		b.t.Errorf("writer %d: %d voxels differ from what was answered", w.name, bad)
	}
	w.meant, w.doubt = got, nil
}

func (w *writer) doubtful(x, y, z int, v byte) bool {
	for _, d := range w.doubt {
		at := voxel.Box{Min: voxel.Point{X: x, Y: y, Z: z}, Max: voxel.Point{X: x + 1, Y: y + 1, Z: z + 1}}
		if d.Box.Contains(at) && d.Row(y, z)[x-d.Box.Min.X] == v {
			return true
		}
	}
	return false
}

// Whatever was answered is there after kill -9, again and again: voxels of
// cutouts that share cubes, blackened ones, metadata and the counts.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	p.fill()
	rnd := rand.New(rand.NewPCG(3, 4))
	var writers []*writer
	for i := range 4 {
		writers = append(writers, &writer{
			name: byte(i), rnd: rand.New(rand.NewPCG(5, uint64(i))),
			meant: voxel.NewBlock(box(0, 1100, 20*i, 20*i+20, 0, 20), voxel.Uint8),
			acks:  map[string]int{}, tries: map[string]int{},
		})
	}
	tried, keys := 0, []string{} // of metadata, those that were answered
	for round := range 4 {
		enough := int64(20 + rnd.IntN(60))
		var steps atomic.Int64
		full := make(chan struct{})
		ack := func() {
			if steps.Add(1) == enough {
				close(full)
			}
		}
		var g sync.WaitGroup
		for _, w := range writers {
			g.Go(func() {
				for w.step(&p.boss) {
					ack()
				}
			})
		}
		g.Go(func() {
			for {
				tried++
				path := fmt.Sprintf("/v1/meta/c/?key=k%d", tried)
				if _, err := p.do("POST", path+"&value=v", ""); err != nil {
					return
				}
				keys = append(keys, path)
			}
		})
		<-full
		p.kill()
		g.Wait()

		p = start(t, dir)
		for _, w := range writers {
			w.check(&p.boss)
		}
		for _, path := range keys {
			p.must(200, "GET", path, "")
		}
		t.Logf("round %d: killed after %d answers", round, steps.Load())
	}
	counts := map[string]int{}
	for _, c := range p.writes().Cutouts {
		counts["POST"+c.Path], counts["PUT"+c.Path] = c.Posts, c.Blacks
	}
	for _, w := range writers {
		for path, tries := range w.tries {
			if n := counts[path]; n < w.acks[path] || n > tries {
				t.Errorf("%s: counted %d, want %d to %d", path, n, w.acks[path], tries)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// A full disk is an error that may pass, and loses nothing of what is there.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir, fileSize+"=100000")
	b.fill()
	rnd := rand.New(rand.NewPCG(1, 2))
	want := random(rnd, box(0, 512, 0, 512, 0, 16), voxel.Uint8, 0)
	refused := 0
	for y := 0; y < 512; y += 8 {
		part := random(rnd, box(0, 512, y, y+8, 0, 16), voxel.Uint8, 0.3)
		a, err := b.do("POST", fmt.Sprintf("/v1/cutout/c/e/image8/0/%v/", part.Box), frame(t, part.Data, part.Type), bloscBody)
		switch {
		case err != nil:
			t.Fatal(err)
		case a.status == 201:
			overlay(want, part)
		case a.status == 400 && a.fields()["code"] == 9001.0 && strings.Contains(string(a.body), "REDIS_ERROR: 103"):
			refused++
		default:
			t.Fatalf("answered with %v", a)
		}
	}
	if refused == 0 {
		t.Error("all found room")
	}
	one := &voxel.Block{Box: box(600, 601, 0, 1, 0, 1), Type: voxel.Uint8, Data: []byte{9}}
	b.post("image8", 0, one) // elsewhere there is room
	if got := b.get("image8", 0, want.Box, want.Type); !bytes.Equal(got.Data, want.Data) {
		t.Error("the volume is not what was answered")
	}
	for i := 0; ; i++ { // resources are one file
		path := fmt.Sprintf("/v1/meta/c/?key=k%d&value=%s", i, strings.Repeat("v", 4000))
		a, err := b.do("POST", path, "")
		if err != nil || i > 100 {
			t.Fatalf("%d: %v, %v", i, a, err)
		}
		if a.status == 500 {
			b.must(400, "GET", fmt.Sprintf("/v1/meta/c/?key=k%d", i), "")
			break
		}
	}
	b.kill()
	b = start(t, dir)
	if got := b.get("image8", 0, want.Box, want.Type); !bytes.Equal(got.Data, want.Data) {
		t.Error("after a restart the volume is not what was answered")
	}
}
