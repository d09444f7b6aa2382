package cli

import (
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/voxel"
)

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		list []int
		n    int
		want []int
	}{
		{nil, 3, nil},
		{[]int{7}, 1, []int{7}},
		{[]int{7}, 3, []int{7}},
		{[]int{7, 8, 9}, 1, []int{8}},
		{[]int{7, 8, 9, 20}, 2, []int{7, 20}},
		{[]int{0, 1, 2, 3, 4}, 3, []int{0, 2, 4}},
	} {
		if got := spread(tt.list, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("%d of %v: got %v, want %v", tt.n, tt.list, got, tt.want)
		}
	}
}

// A slice that is too large is shown whole at the first resolution at which it is
// small enough, or in part, and never more than that of it.
func TestReduced(t *testing.T) {
	whole := voxel.NewBox(voxel.Range{Min: 1000, Max: 31_000}, voxel.Range{Max: 20_000}, voxel.Range{Min: 41, Max: 42})
	sizes := map[string][3]float64{"0": {4, 4, 40}, "1": {8, 8, 40}, "2": {16, 16, 40}, "3": {32, 32, 80}, "4": {64, 64, 160}}
	for _, tt := range []struct {
		name string
		box  voxel.Box
		typ  voxel.Type
		down boss.Downsample
		want string
		res  int
	}{
		{"uint8", whole, voxel.Uint8, boss.Downsample{Status: "DOWNSAMPLED", Levels: 5, VoxelSize: sizes}, "125:3875/0:2500/20:21", 3},
		{"uint16", whole, voxel.Uint16, boss.Downsample{Status: "DOWNSAMPLED", Levels: 5, VoxelSize: sizes}, "62:1937/0:1250/10:11", 4},
		{"too few levels", whole, voxel.Uint64, boss.Downsample{Status: "DOWNSAMPLED", Levels: 2, VoxelSize: sizes}, "", 0},
		{"not yet", whole, voxel.Uint8, boss.Downsample{Status: "IN_PROGRESS", Levels: 5, VoxelSize: sizes}, "13952:18048/7952:12048/41:42", 0},
		{"low", voxel.NewBox(voxel.Range{Max: 1 << 25}, voxel.Range{Max: 16}, voxel.Range{Max: 1}), voxel.Uint8, boss.Downsample{}, "16252928:17301504/0:16/0:1", 0},
	} {
		v := view{box: tt.box, what: "all of it"}.reduced(tt.typ, tt.down)
		if got := v.box.String(); tt.want != "" && got != tt.want || v.res != tt.res {
			t.Errorf("%s: got %v at %d, want %v at %d", tt.name, got, v.res, tt.want, tt.res)
		}
		if n := v.bytes(tt.typ); n > thumbnailBytes {
			t.Errorf("%s: %d bytes are read", tt.name, n)
		}
	}
}

func TestNoPasswords(t *testing.T) {
	for text, want := range map[string]string{
		"render http://me:secret@host/v1 em": "render http://…@host/v1 em",
		"GET https://host/a@b: 500":          "GET https://host/a@b: 500",
		"images em_<p:4>@x":                  "images em_<p:4>@x",
	} {
		if got := noPasswords(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
