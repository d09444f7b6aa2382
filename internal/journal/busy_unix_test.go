//go:build unix

package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/journal"
)

// A process that ends between being read and being looked at said more than was
// read. The moment between the two is held by a pipe that is read in between.
func TestBusyUntilNow(t *testing.T) {
	host, err := os.Hostname()
	must(t, err)
	dir := t.TempDir()
	path := write(t, dir, 1, headText(host, firstBox), `{"begin":"`+firstBox+`"}`)
	pipe := filepath.Join(dir, "20261122T183199.000000000Z_pipe.jsonl")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		if os.Getenv("NDPUSH_PEERS") != "" {
			t.Fatalf("no pipe can be made, and NDPUSH_PEERS wants it: %v", err)
		}
		t.Skipf("no pipe can be made: %v", err)
	}
	go func() {
		in, err := os.OpenFile(pipe, os.O_WRONLY, 0) // when it is opened to be read
		if err != nil {
			t.Error(err)
			return
		}
		defer in.Close()
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer file.Close()
		_, err = file.WriteString(`{"posted":"` + firstBox + `",` + sum + `}` + "\n" + `{"end":"done",` + at + "}\n")
		_, err2 := in.WriteString(headText(host, secondBox) + "\n")
		if err := errors.Join(err, err2); err != nil {
			t.Error(err)
		}
	}()
	_, _, err = journal.Open(t.Context(), dir, head(host, box(firstBox)), journal.Options{})
	if _, ok := errors.AsType[*journal.BusyError](err); !ok {
		t.Errorf("got %v, want a BusyError", err)
	}
}
