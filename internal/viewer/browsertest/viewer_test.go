package browsertest

import (
	"fmt"
	"image/color"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// voxel is what libtiff or libpng says is at a place of a slice.
func voxel(t *testing.T, path string, x, y int) uint64 {
	t.Helper()
	program := "import sys, numpy as np\nfrom PIL import Image\nimport tifffile\np, x, y = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n" +
		"a = tifffile.imread(p) if p.endswith('tif') else np.asarray(Image.open(p))\nprint(a[y, x])"
	out, err := exec.Command("/usr/bin/python3", "-c", program, filepath.Join(repository, "testdata", path), strconv.Itoa(x), strconv.Itoa(y)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	v, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestViewer(t *testing.T) {
	b := open(t)
	s := serve(t, ndpush(t))

	b.size(1400, 900, false)
	b.do(chromedp.Navigate(s.url+"/"), settled())
	b.picture("empty-light")
	if got := b.text("main"); !strings.Contains(got, "Nothing here yet") || !strings.Contains(got, "ndpush ingest") {
		t.Errorf("an empty BOSS: %q", got)
	}

	s.push("em", "em_<p:4>", "tif", "demo/tissue/em", "uint8", "0:20")
	s.push("labels", "labels_<p:4>", "tif", "demo/tissue/cells", "uint64", "0:20", "--source-channel", "em")
	s.push("counts", "c<p:4>", "png", "lab/fish/counts", "uint16", "3:11")
	s.downsample("demo/tissue/em")
	s.downsample("demo/tissue/cells")

	b.do(chromedp.Navigate(s.url+"/"), settled())
	b.do(chromedp.Poll(`[...document.images].every(i => i.complete && i.naturalWidth)`, nil))
	for _, want := range []string{"demo / tissue", "em", "cells", "counts", "1\u202f100 × 1\u202f060 × 20 voxels", "4 × 4 × 40 nm", "uint64", "3 resolutions"} {
		if got := b.text("main"); !strings.Contains(got, want) {
			t.Errorf("the list lacks %q: %q", want, got)
		}
	}
	b.looks("list")
	b.size(1400, 900, false)
	b.clean()

	// At zoom 1 a voxel of the first resolution is a pixel.
	b.do(chromedp.Click(`a[href="/view/demo/tissue/em"]`), chromedp.WaitReady("#canvas"), settled())
	b.do(chromedp.Evaluate(`location.hash = "#plane=xy&at=550.5,530.5,10&zoom=1"`, nil), settled())
	b.atMiddle(t, "em/em_0010.tif", 550, 530)
	b.do(key(kb.ArrowUp), settled())
	b.atMiddle(t, "em/em_0011.tif", 550, 530)
	b.do(chromedp.SetValue("#number", "15"), chromedp.Evaluate(`document.getElementById("number").dispatchEvent(new Event("change"))`, nil), settled())
	b.atMiddle(t, "em/em_0015.tif", 550, 530)

	// The other planes have the same voxel in the middle.
	for plane, size := range map[string]string{"xz": "2", "yz": "3"} {
		b.do(key(size), chromedp.Evaluate(fmt.Sprintf(`location.hash = "#plane=%s&at=550.5,530.5,15.5&zoom=1"`, plane), nil), settled())
		b.atMiddle(t, "em/em_0015.tif", 550, 530)
		b.picture("plane-" + plane)
	}
	b.clean()

	// Labels over images: their colour comes through, and the pointer tells their ids.
	b.do(chromedp.Navigate(s.url+"/view/demo/tissue/em#plane=xy&at=550.5,530.5,10&zoom=1&labels=cells&opacity=0.5"), settled())
	canvas := b.canvas()
	want := voxel(t, "labels/labels_0010.tif", 600, 500)
	if want == 0 {
		t.Fatal("no label where the test looks")
	}
	b.do(pointTo(canvas[0]+canvas[2]/2+50, canvas[1]+canvas[3]/2-30))
	if got := b.text("#readout"); !strings.Contains(got, "600, 500, 10") || !strings.Contains(got, fmt.Sprintf("label %d", want)) ||
		!strings.Contains(got, fmt.Sprintf("value %d", voxel(t, "em/em_0010.tif", 600, 500))) {
		t.Errorf("under the pointer: %q, want label %d", got, want)
	}
	if c := b.pixel(int(canvas[2]/2)+50, int(canvas[3]/2)-30); c.R == c.G && c.G == c.B {
		t.Errorf("no colour of a label: %v", c)
	}
	b.looks("labels")
	b.size(1400, 900, false)

	// From afar a lower resolution is enough.
	b.do(chromedp.Evaluate(`location.hash = "#plane=xy&at=550.5,530.5,10&zoom=0.25&labels="`, nil), settled())
	var asked string
	b.do(chromedp.Evaluate(`performance.getEntriesByType("resource").map(e => new URL(e.name).pathname).join("\n")`, &asked))
	if !strings.Contains(asked, "/v1/image/demo/tissue/em/xy/2/") {
		t.Errorf("no request for resolution 2:\n%s", asked)
	}
	// What is there is not asked for again.
	lines := strings.Split(asked, "\n")
	if once := slices.Compact(slices.Sorted(slices.Values(lines))); len(lines) > len(once)+2 {
		t.Errorf("%d requests for %d things", len(lines), len(once))
	}
	b.clean()

	// 16 bits, with the contrast that they have.
	b.do(chromedp.Navigate(s.url+"/view/lab/fish/counts#at=150.5,100.5,7&zoom=4"), settled())
	canvas = b.canvas()
	b.do(pointTo(canvas[0]+canvas[2]/2, canvas[1]+canvas[3]/2))
	if want := fmt.Sprintf("value %d", voxel(t, "counts/c0007.png", 150, 100)); !strings.Contains(b.text("#readout"), want) {
		t.Errorf("under the pointer: %q, want %s", b.text("#readout"), want)
	}
	b.looks("counts")
	b.do(chromedp.Evaluate(`location.hash = "#at=150.5,100.5,1&zoom=4"`, nil), settled())
	if got := b.text("#message"); !strings.Contains(got, "Nothing is written here") {
		t.Errorf("where nothing is: %q", got)
	}
	b.clean()

	// What is not there is said in the page.
	b.do(chromedp.Navigate(s.url+"/view/demo/tissue/none"), settled())
	if got := b.text("#message"); !strings.Contains(got, "There is no channel none") {
		t.Errorf("a channel that is not there: %q", got)
	}
}

// looks takes pictures of the page on a desk and on a phone, by day and by night.
func (b *browser) looks(name string) {
	b.t.Helper()
	for _, look := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"desk-light", 1400, 900, false}, {"desk-dark", 1400, 900, true}, {"phone-light", 390, 800, false}, {"phone-dark", 390, 800, true}} {
		b.size(look.width, look.height, look.dark)
		b.do(settled())
		b.picture(name + "-" + look.name)
		var wide bool
		b.do(chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
		if wide {
			b.t.Errorf("%s: wider than the screen on %s", name, look.name)
		}
	}
}

// canvas is where the canvas is on the page: x, y, width, height.
func (b *browser) canvas() (r [4]float64) {
	b.t.Helper()
	b.do(chromedp.Evaluate(`(r => [r.x, r.y, r.width, r.height])(document.getElementById("canvas").getBoundingClientRect())`, &r))
	return r
}

// atMiddle compares the middle of the canvas with a voxel of a file.
func (b *browser) atMiddle(t *testing.T, path string, x, y int) {
	t.Helper()
	r := b.canvas()
	v := uint8(voxel(t, path, x, y))
	if got, want := b.pixel(int(r[2]/2), int(r[3]/2)), (color.NRGBA{v, v, v, 255}); got != want {
		b.picture("wrong")
		t.Errorf("%s at %d, %d: the canvas is %v, want %v", path, x, y, got, want)
	}
}
