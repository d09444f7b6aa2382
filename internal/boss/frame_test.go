package boss

import (
	"bytes"
	"io"
	"testing"
)

// A frame is used again only when the last body that reads it is closed.
func TestFrameIsHeld(t *testing.T) {
	var p framePool
	f := p.get()
	f.data = []byte("voxels")
	first, second := f.body(), f.body()
	free := func() bool { return f.held.Load() == 0 }

	if got, err := io.ReadAll(first); err != nil || !bytes.Equal(got, f.data) {
		t.Errorf("got %q, %v", got, err)
	}
	f.release() // the request is over
	if free() {
		t.Error("it is free with two open bodies")
	}
	for range 3 { // net/http may close twice
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
	if free() {
		t.Error("it is free with an open body")
	}
	if n, err := first.Read(make([]byte, 9)); n != 0 || err != errClosed {
		t.Errorf("read %d bytes of a closed body, %v", n, err)
	}
	if got, err := io.ReadAll(second); err != nil || !bytes.Equal(got, []byte("voxels")) {
		t.Errorf("each body is read from its start: got %q, %v", got, err)
	}
	second.Close()
	if !free() {
		t.Error("it is held with no open body")
	}
}
