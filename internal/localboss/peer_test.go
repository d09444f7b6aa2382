package localboss_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

const python = "/usr/bin/python3" // Debian's, with python3-numpy and python3-blosc

// havePeer looks once: to start Python takes as long as most of what it is asked.
var havePeer = sync.OnceValue(func() error { return exec.Command(python, "-c", "import numpy, blosc").Run() })

// peer runs a Python program with NumPy and C-Blosc, the libraries that BOSS
// and its clients are made of. Without them the test is skipped, but not where
// NDPUSH_PEERS=1 says that they must be there.
func peer(t *testing.T, program string, stdin []byte) []byte {
	t.Helper()
	if err := havePeer(); err != nil {
		if os.Getenv("NDPUSH_PEERS") == "1" {
			t.Fatalf("%s with numpy and blosc: %v", python, err)
		}
		t.Skipf("%s with numpy and blosc: %v", python, err)
	}
	c := exec.Command(python, "-c", "import sys, io, zlib, numpy as np, blosc\ndata = sys.stdin.buffer.read()\nout = sys.stdout.buffer.write\n"+program)
	c.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	return out
}

// Bodies that Python wrote are taken and answers are read by Python, in both
// forms and with every type that a channel can hold.
func TestPeers(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	for _, tt := range []struct {
		channel string
		typ     voxel.Type
	}{
		{"image8", voxel.Uint8}, {"image16", voxel.Uint16},
		{"label8", voxel.Uint8}, {"label16", voxel.Uint16}, {"label64", voxel.Uint64},
	} {
		// arange, so that an axis out of place shows.
		array := fmt.Sprintf("a = (np.arange(5*60*70) * 40503 + 1).astype(np.%v).reshape(5, 60, 70)\n", tt.typ)
		want := peer(t, array+"out(a.tobytes())", nil)
		for i, form := range []struct{ kind, write, read string }{
			{
				"application/blosc",
				fmt.Sprintf("out(blosc.compress(a, typesize=%d))", 8*tt.typ.Size()), // as intern does
				"out(blosc.decompress(data))",
			},
			{
				"application/npygz",
				"f = io.BytesIO(); np.save(f, a); out(zlib.compress(f.getvalue()))",
				fmt.Sprintf("a = np.load(io.BytesIO(zlib.decompress(data))); assert a.shape == (5, 60, 70) and a.dtype == np.%v, (a.shape, a.dtype); out(a.tobytes())", tt.typ),
			},
		} {
			at := box(100, 170, 20, 80, 20*i+13, 20*i+18)
			path := fmt.Sprintf("/v1/cutout/c/e/%s/0/%v/", tt.channel, at)
			b.must(201, "POST", path, string(peer(t, array+form.write, nil)), "Content-Type: "+form.kind)
			if got := b.get(tt.channel, 0, at, tt.typ); !bytes.Equal(got.Data, want) {
				t.Errorf("%s as %s: what is stored is not what Python sent", tt.channel, form.kind)
			}
			a := b.must(200, "GET", path, "", "Accept: "+form.kind)
			if a.kind != form.kind || !bytes.Equal(peer(t, form.read, a.body), want) {
				t.Errorf("%s as %s: Python reads another array (%s)", tt.channel, form.kind, a.kind)
			}
		}
	}

	// An array with a time axis has four.
	four := "a = np.arange(2, 62, dtype=np.uint8).reshape(1, 3, 4, 5); f = io.BytesIO(); np.save(f, a); out(zlib.compress(f.getvalue()))"
	const path = "/v1/cutout/c/e/image8/0/0:5/0:4/0:3/0:1"
	b.must(201, "POST", path, string(peer(t, four, nil)), "Content-Type: application/npygz")
	a := b.must(200, "GET", path, "", "Accept: application/npygz")
	peer(t, "a = np.load(io.BytesIO(zlib.decompress(data))); assert a.shape == (1, 3, 4, 5) and a[0, 2, 1, 3] == 50, a", a.body)

	b.check([]rule{
		{method: "POST", path: "/v1/cutout/c/e/image8/0/0:5/0:4/0:3", body: string(peer(t, four, nil)), headers: h("Content-Type: application/npygz"),
			status: 400, code: 2002, says: "Data dimensions in URL do not match POSTed data."},
		{method: "POST", path: "/v1/cutout/c/e/image16/0/0:5/0:4/0:3/0:1", body: string(peer(t, four, nil)), headers: h("Content-Type: application/npygz"),
			status: 400, code: 2001, says: "Datatype does not match channel"},
		{method: "POST", path: "/v1/cutout/c/e/image8/0/0:5/0:4/0:3", body: "garbage", headers: h("Content-Type: application/npygz"), status: 500, kind: html},
	})
}
