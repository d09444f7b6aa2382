package voxel_test

import (
	"testing"

	"github.com/neurodata/ndpush/internal/voxel"
)

// What is read is what String writes, of voxels, and nothing that is too far away.
func FuzzParseBox(f *testing.F) {
	for _, s := range []string{
		"0:1024/0:512/0:16", "-5:5/-1:0/7:8", "0:1/0:1/0:1073741823",
		"", "0:1/0:1", "0:1/0:1/0:1/0:1", "0:1/0:1/", "1:0/0:1/0:1", "0:1/0:1/0:1073741824", "x:1/0:1/0:1", "0:1/01/0:1", "0:1/0:1/0:99999999999999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		box, err := voxel.ParseBox(s)
		if err != nil {
			return
		}
		if again, err := voxel.ParseBox(box.String()); err != nil || again != box {
			t.Errorf("%q is %v, and that is %v, %v", s, box, again, err)
		}
		if box.Empty() || !box.X().Near() || !box.Y().Near() || !box.Z().Near() {
			t.Errorf("%q is %v", s, box)
		}
	})
}

func TestParseBox(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"0:1024/0:512/0:16", true}, {"-5:5/-1:0/7:8", true}, {"0:1/0:1/1073741822:1073741823", true},
		{"", false}, {"0:1/0:1", false}, {"0:1/0:1/0:1/0:1", false}, {"1:1/0:1/0:1", false},
		{"0:1073741824/0:1/0:1", false}, {"-1073741824:0/0:1/0:1", false}, {"0:1/0:x/0:1", false},
	} {
		box, err := voxel.ParseBox(tt.text)
		if got := err == nil; got != tt.ok || got && box.String() != tt.text {
			t.Errorf("ParseBox(%q) = %v, %v; want ok %v", tt.text, box, err, tt.ok)
		}
	}
}
