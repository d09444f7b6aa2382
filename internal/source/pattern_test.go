package source_test

import (
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		n    source.Naming
		z    int
		want string
	}{
		{source.Naming{BaseFilename: "<p:4>", Extension: "tif"}, 7, "0007.tif"},
		{source.Naming{BaseFilename: "<p:4>", Extension: "tif"}, 12345, "12345.tif"},
		{source.Naming{BaseFilename: "<p:4>", Extension: "tif"}, -3, "-003.tif"}, // "-3".zfill(4)
		{source.Naming{BaseFilename: "<p:1>", Extension: "tif"}, -3, "-3.tif"},
		{source.Naming{BaseFilename: "<p:0>", Extension: "tif"}, 0, "0.tif"},
		{source.Naming{BaseFilename: "<p:10>", Extension: "tif"}, 1, "0000000001.tif"},
		{source.Naming{BaseFilename: "s<>_x", Extension: ".ome.tif"}, 70, "s70_x.ome.tif"},
		{source.Naming{BaseFilename: "<>", Extension: "png", ZStep: 10}, 7, "70.png"},
		{source.Naming{BaseFilename: "<p:3>", Extension: "png", ZStep: 5}, -2, "-10.png"},
		{source.Naming{BaseFilename: "<ch>/<p:2>/<ch>_<>", Channel: "ch<1>", Extension: "tif"}, 3, "ch<1>/03/ch<1>_3.tif"},
		{source.Naming{BaseFilename: "50%d", Extension: ""}, 3, "50%d"},
		{source.Naming{BaseFilename: "a>b", Extension: "."}, 3, "a>b"},
	} {
		p, err := source.ParsePattern(tt.n)
		if err != nil {
			t.Errorf("%+v: %v", tt.n, err)
		} else if got := p.Name(tt.z); got != tt.want {
			t.Errorf("%+v at %d is %q, want %q", tt.n, tt.z, got, tt.want)
		}
	}
}

func TestPatternBase(t *testing.T) {
	for _, tt := range []struct{ base, want, path string }{
		{"/data/<ch>/raw", "/data/em/raw", "/data/em/raw/1.tif"},
		{"/data/<ch>_<ch>/", "/data/em_em/", "/data/em_em/1.tif"},
		{`C:\data\<ch>`, `C:\data\em`, `C:\data\em/1.tif`},
		{`C:\`, `C:\`, `C:\1.tif`},
		{"", "", "1.tif"},
	} {
		p, err := source.ParsePattern(source.Naming{BasePath: tt.base, BaseFilename: "<>", Extension: "tif", Channel: "em"})
		if err != nil {
			t.Fatal(err)
		}
		if p.Base() != tt.want || p.Path(1) != tt.path {
			t.Errorf("%q: base %q, path %q, want %q, %q", tt.base, p.Base(), p.Path(1), tt.want, tt.path)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for _, tt := range []struct {
		n    source.Naming
		want string
	}{
		{source.Naming{BaseFilename: "<z>"}, `base filename "<z>": unknown placeholder <z>`},
		{source.Naming{BaseFilename: "<p:>"}, "unknown placeholder <p:>"},
		{source.Naming{BaseFilename: "<p:-4>"}, "unknown placeholder <p:-4>"},
		{source.Naming{BaseFilename: "<p:1000000000>"}, "unknown placeholder"},
		{source.Naming{BaseFilename: "a<p:4"}, "<p:4 lacks its >"},
		{source.Naming{BaseFilename: ""}, "the base filename is empty"},
		{source.Naming{BaseFilename: "<ch><>"}, "<ch> needs the name of a channel"},
		{source.Naming{BasePath: "/d/<>", BaseFilename: "a"}, `base path "/d/<>": the number of a file belongs in the base filename`},
		{source.Naming{BasePath: "/d/<what>", BaseFilename: "a"}, "unknown placeholder <what>"},
		{source.Naming{BaseFilename: "<>", ZStep: -1}, "z step -1"},
	} {
		if _, err := source.ParsePattern(tt.n); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.n, err, tt.want)
		}
	}
}

// Without a number in its name one file would be every slice.
func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		ok   bool
	}{{"<>", 5, true}, {"<p:4>", 5, true}, {"same", 1, true}, {"same", 0, true}, {"same", 2, false}, {"<ch>", 2, false}} {
		p, err := source.ParsePattern(source.Naming{BasePath: "/d", BaseFilename: tt.name, Extension: "tif", Channel: "em"})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Covers(voxel.Range{Min: 3, Max: 3 + tt.n}); (err == nil) != tt.ok {
			t.Errorf("%q covers %d slices: %v", tt.name, tt.n, err)
		}
	}
}
