package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const repository = "../../.."

// ndpush builds the program.
func ndpush(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ndpush")
	c := exec.Command("go", "build", "-o", bin, "./cmd/ndpush")
	c.Dir = repository
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// A server is a local BOSS in another process.
type server struct {
	t                *testing.T
	bin, dir, config string
	url              string
}

// serve starts one; it ends with the test.
func serve(t *testing.T, bin string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, bin: bin, dir: t.TempDir()}
	s.config = filepath.Join(s.dir, "boss.cfg")
	c := exec.Command(bin, append([]string{"serve", "--listen", "127.0.0.1:0", "--dir", s.dir, "--config", s.config}, flags...)...)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Signal(os.Interrupt); c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s.url = strings.TrimSuffix(strings.Fields(line)[2], ",")
	return s
}

// push ingests a stack of testdata.
func (s *server) push(dir, pattern, extension, channel, datatype, z string, more ...string) {
	s.t.Helper()
	size := []string{"0:1100", "0:1060"}
	if dir == "counts" {
		size = []string{"0:300", "0:200"}
	}
	parts := strings.Split(channel, "/")
	job := append([]string{"ingest", "--base-path", filepath.Join(repository, "testdata", dir), "--base-filename", pattern, "--extension", extension,
		"--collection", parts[0], "--experiment", parts[1], "--channel", parts[2], "--datatype", datatype,
		"--x-extent", size[0], "--y-extent", size[1], "--z-extent", z, "--boss-config-file", s.config, "--log-dir", s.t.TempDir()}, more...)
	for _, step := range [][]string{{"--voxel-size", "4:4:40", "--create-resources"}, {"--verify", "none"}} {
		if out, err := exec.Command(s.bin, append(job, step...)...).CombinedOutput(); err != nil {
			s.t.Fatalf("%v\n%s", err, out)
		}
	}
}

// downsample computes a channel's lower resolutions and waits for them.
func (s *server) downsample(channel string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	_, token, _ := strings.Cut(string(text), "token = ")
	ask := func(method string) string {
		r, _ := http.NewRequest(method, s.url+"/v1/downsample/"+channel, nil)
		r.Header.Set("Authorization", "Token "+strings.TrimSpace(token))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			s.t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body)
		return b.String()
	}
	ask("POST")
	for deadline := time.Now().Add(time.Minute); !strings.Contains(ask("GET"), `"DOWNSAMPLED"`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is not downsampled after a minute", channel)
		}
	}
}

// A browser is a page of Chromium that notes what goes wrong in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	complain []string
}

func open(t *testing.T, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("NDPUSH_PEERS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) // Chromium may still be tidying up
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(2*time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(opts, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(func() { chromedp.Cancel(ctx); cancel() })
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.note)
	b.do(network.Enable(), runtime.Enable(), log.Enable())
	return b
}

// note keeps errors of the console, exceptions and requests that failed. One that
// the page gave up itself is none.
func (b *browser) note(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		said = fmt.Sprintf("console.%s", e.Type)
		for _, arg := range e.Args {
			said += " " + string(arg.Value)
		}
	case *runtime.EventExceptionThrown:
		said = e.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		said = e.Entry.Text + " " + e.Entry.URL
	case *network.EventLoadingFailed:
		if !e.Canceled {
			said = "request failed: " + e.ErrorText
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			said = fmt.Sprintf("%d of %s", e.Response.Status, e.Response.URL)
		}
	}
	if said != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complain = append(b.complain, said)
	}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page said %q", err, b.complain)
	}
}

// clean fails the test if the browser has complained since it was last asked.
func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.complain {
		b.t.Errorf("the browser complains: %s", said)
	}
	b.complain = nil
}

// settled waits until the page has all it asked for.
func settled() chromedp.Action {
	return chromedp.Poll(`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => r(document.body.dataset.state === "done"), 60))))`,
		nil, chromedp.WithPollingTimeout(90*time.Second), chromedp.WithPollingInterval(100*time.Millisecond))
}

func (b *browser) size(width, height int64, dark bool) {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.do(emulation.SetDeviceMetricsOverride(width, height, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// picture is what is on the screen; it is also written to NDPUSH_SCREENSHOTS.
func (b *browser) picture(name string) image.Image {
	b.t.Helper()
	var p []byte
	b.do(chromedp.CaptureScreenshot(&p))
	if dir := os.Getenv("NDPUSH_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), p, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	m, err := png.Decode(bytes.NewReader(p))
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// pixel is the colour on the page's canvas at a place of it.
func (b *browser) pixel(x, y int) color.NRGBA {
	b.t.Helper()
	r := b.canvas()
	return color.NRGBAModel.Convert(b.picture("pixel").At(int(r[0])+x, int(r[1])+y)).(color.NRGBA)
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	var s string
	b.do(chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).textContent`, selector), &s))
	return s
}

func key(k string) chromedp.Action { return chromedp.KeyEvent(k) }

func pointTo(x, y float64) chromedp.Action { return chromedp.MouseEvent(input.MouseMoved, x, y) }
