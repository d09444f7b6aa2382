package browsertest

import (
	"image"
	"image/color"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestNeuroglancer draws a channel with the viewer that the field uses, from
// another origin and over HTTPS. NDPUSH_NEUROGLANCER=1 asks for it: it installs
// what it needs with npm.
func TestNeuroglancer(t *testing.T) {
	if os.Getenv("NDPUSH_NEUROGLANCER") != "1" {
		t.Skip("NDPUSH_NEUROGLANCER=1 installs Neuroglancer and looks through it")
	}
	b := open(t, chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("disable-gpu", false),
		chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true))
	pages := httptest.NewServer(http.FileServer(http.Dir(neuroglancer(t))))
	defer pages.Close()
	s := serve(t, ndpush(t), "--tls-self-signed")
	t.Setenv("SSL_CERT_FILE", filepath.Join(s.dir, "tls-cert.pem"))
	s.push("em", "em_<p:4>", "tif", "demo/tissue/em", "uint8", "0:20")

	state := `{"layers":[{"type":"image","name":"em","source":"boss://` + s.url + `/demo/tissue/em"}],"layout":"xy","position":[550.5,530.5,10.5]}`
	b.size(1000, 800, false)
	b.do(chromedp.Navigate(pages.URL + "/#!" + url.PathEscape(state)))
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		if grays := countGrays(b.picture("neuroglancer")); grays > 50 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is drawn; the page said %q", b.complain)
		}
	}
}

// countGrays is how many different grays are around the middle of a picture.
func countGrays(m image.Image) int {
	middle := m.Bounds().Size().Div(2)
	seen := map[uint8]bool{}
	for y := middle.Y - 150; y < middle.Y+150; y++ {
		for x := middle.X - 150; x < middle.X+150; x++ {
			if c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA); c.R == c.G && c.G == c.B {
				seen[c.R] = true
			}
		}
	}
	return len(seen)
}

// neuroglancer is a directory with its page.
func neuroglancer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("neuroglancer")); err != nil {
		t.Fatal(err)
	}
	pages := filepath.Join(dir, "pages")
	for _, args := range [][]string{{"npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"}, {"node", "build.js", pages}} {
		c := exec.Command(args[0], args[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	const page = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="main.css"><div id="neuroglancer-container"></div><script type="module" src="main.js"></script>`
	if err := os.WriteFile(filepath.Join(pages, "index.html"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	return pages
}
