package journal_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// stack is a box of so many cuboids, 16 by 16 in a layer.
func stack(cuboids int) voxel.Box {
	return voxel.Box{Max: voxel.Point{X: 16 * plan.CuboidX, Y: 16 * plan.CuboidY, Z: cuboids / 256 * plan.CuboidZ}}
}

// writeStack writes a journal by hand in which all of data was begun and posted.
func writeStack(tb testing.TB, dir string, data voxel.Box) {
	tb.Helper()
	f, err := os.Create(filepath.Join(dir, "20261122T183122.000000000Z_n1_77_aaaaaaaa.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, headText("n1", data.String()))
	for box := range data.Pieces(voxel.Point{X: plan.CuboidX, Y: plan.CuboidY, Z: plan.CuboidZ}) {
		fmt.Fprintf(w, "{\"begin\":\"%v\"}\n", box)
		fmt.Fprintf(w, "{\"posted\":\"%v\",\"sum\":\"%016x\",\"took\":1.27,\"at\":\"2026-11-22T18:31:23Z\"}\n", box, box.Min.X*31+box.Min.Z)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

// A cuboid takes no more memory than Bytes says, also while its state grows.
func TestBytes(t *testing.T) {
	const cuboids = 64 << 10
	dir := t.TempDir()
	writeStack(t, dir, stack(cuboids))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := journal.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := int64(after.HeapAlloc-before.HeapAlloc) / cuboids; got > journal.Bytes {
		t.Errorf("a cuboid takes %d bytes, want at most %d", got, journal.Bytes)
	} else {
		t.Logf("a cuboid takes %d bytes", got)
	}
	if !s.Done(stack(cuboids)) {
		t.Error("a stack of which all was posted is not done")
	}
}

func BenchmarkReplay(b *testing.B) {
	const cuboids = 32 << 10
	dir := b.TempDir()
	writeStack(b, dir, stack(cuboids))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := journal.Read(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*2*cuboids/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkWrite(b *testing.B) {
	data := stack(1 << 20)
	w, _, err := journal.Open(b.Context(), b.TempDir(), head("n1", data), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	box := voxel.Box{Max: voxel.Point{X: plan.CuboidX, Y: plan.CuboidY, Z: plan.CuboidZ}}
	for b.Loop() {
		if err := w.Begin(box); err != nil {
			b.Fatal(err)
		}
		if err := w.Posted(box, 1, time.Second); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	if err := w.Close("done"); err != nil {
		b.Fatal(err)
	}
}
