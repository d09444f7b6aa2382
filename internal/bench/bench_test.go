package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/bench/nullboss"
	"github.com/neurodata/ndpush/internal/bench/stack"
)

// The bench starts itself for what has a process of its own, which here is the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{nullBoss, makeStack, onePart}, os.Args[1]) {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A small run of everything: all that should arrives, everything is measured, and
// two results are compared.
func TestBench(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	rows := ""
	if _, err := exec.LookPath("tiffcp"); err != nil && os.Getenv("NDPUSH_PEERS") == "" {
		t.Log("no tiffcp, of libtiff-tools: without LZW")
		rows = "^em|deflate|sparse"
	}
	table := runBench(t, "", "--dir", dir, "--rows", rows, "--side", "256", "--slices", "2", "--count", "1", "--json", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got results
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Setting.Cores == 0 || got.Setting.Go == "" {
		t.Errorf("it does not say where it ran: %+v", got.Setting)
	}
	if want := len(stack.Kinds()); len(got.Rows) != want && rows == "" {
		t.Fatalf("%d rows, want %d", len(got.Rows), want)
	}
	for _, row := range got.Rows {
		if row.Error != "" || len(row.Runs) != 1 || !strings.Contains(table, row.Name) {
			t.Fatalf("%+v\n%s", row, table)
		}
		m := row.Runs[0]
		if m.Counts.Cutouts != 1 || m.Counts.Voxels != row.Voxels || m.Counts.Bytes == 0 || m.Wall <= 0 || m.CPU <= 0 || m.Stated < 1<<20 {
			t.Errorf("%s: %+v", row.Name, m)
		}
	}
	if em := got.Rows[0]; len(em.Parts) != 1 || em.Parts[0].sum() <= 0 {
		t.Errorf("parts of %s: %+v", em.Name, em.Parts)
	}
	table = runBench(t, "", "--dir", dir, "--rows", "em-raw", "--side", "256", "--slices", "2", "--count", "1", "--rate", "1GB/s", "--compare", file)
	if !strings.Contains(table, "as a part of") || !strings.Contains(table, "NOT measured alike") {
		t.Errorf("it does not compare, or not with care:\n%s", table)
	}
}

// A run of ndpush that fails is an error of its row, and of the bench.
func TestFailure(t *testing.T) {
	table := runBench(t, "ndpush ingest: exit status 2", "--rows", "em-raw", "--side", "256", "--slices", "2", "--count", "1", "--compression", "no such")
	if !strings.Contains(table, "error") {
		t.Errorf("the table does not say so:\n%s", table)
	}
}

// runBench runs the bench and gives its table. It must fail with an error that
// contains want, or not at all if that is "".
func runBench(t *testing.T, want string, args ...string) string {
	t.Helper()
	var table, said strings.Builder
	err := run(t.Context(), args, strings.NewReader(""), &table, &said)
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Fatalf("%v, want %q\n%s", err, want, said.String())
	}
	return table.String()
}

// What is missing, refused or sent twice is noticed.
func TestCheck(t *testing.T) {
	s := &stack.Stack{Cuboids: 3, Bytes: 300}
	for _, tt := range []struct {
		arrived nullboss.Counts
		want    string
	}{
		{nullboss.Counts{Cutouts: 3, Voxels: 300, Bytes: 1}, ""},
		{nullboss.Counts{Cutouts: 2, Voxels: 300}, "2 cutouts"},
		{nullboss.Counts{Cutouts: 3, Voxels: 200}, "of 200 bytes"},
		{nullboss.Counts{Cutouts: 3, Voxels: 300, Repeated: 1}, "twice"},
		{nullboss.Counts{Cutouts: 3, Voxels: 300, Refused: 1, Reason: "a whim"}, "a whim"},
	} {
		err := (&measurement{Counts: tt.arrived}).check(s)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.arrived, err, tt.want)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string
	}{
		{"--rate 25", `--rate "25": want one like 25MB/s`},
		{"--rate 0MB/s", "want one like"},
		{"--side 255", "--side is 256 at least"},
		{"--count 0", "--count 1"},
		{"--rows (", "--rows: error parsing"},
		{"--rows none", "no such kind"},
		{"em", `"em" is no flag`},
		{"--compare nowhere.json", "no such file"},
	} {
		runBench(t, tt.want, strings.Fields(tt.args)...)
	}
	if rate, err := parseRate("2.5MB/s"); rate != 2_500_000 || err != nil {
		t.Errorf("2.5MB/s is %d, %v", rate, err)
	}
}

func TestMedian(t *testing.T) {
	same := func(f float64) float64 { return f }
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{5}, 5}, {[]float64{9, 1, 4}, 4}, {[]float64{8, 1, 2, 4}, 3}} {
		if got := median(tt.values, same); got != tt.want {
			t.Errorf("median of %v: %v, want %v", tt.values, got, tt.want)
		}
	}
}
