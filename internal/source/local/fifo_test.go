//go:build unix

package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/source/local"
)

// A named pipe and a device are refused at once: to open one could last for ever.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "a.tif"), 0o666); err != nil {
		t.Skip(err)
	}
	_, err := local.Dir(dir).Open(t.Context(), "a.tif")
	if err == nil || !strings.Contains(err.Error(), "is a named pipe, not a file") {
		t.Errorf("a pipe: %v", err)
	}
	_, err = local.Dir("/dev").Open(t.Context(), "null")
	if err == nil || !strings.Contains(err.Error(), "is a device, not a file") {
		t.Errorf("a device: %v", err)
	}
}

func TestPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	_, err := local.Dir(closed).Open(t.Context(), "a.tif")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "may not be searched") {
		t.Errorf("a closed directory: %v", err)
	}
}
