package cli

import (
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

// The Python tool spelled its flags with underscores and gave them their values
// as separate words: --x_extent 0 1000. People have scripts full of such lines,
// so they are read as they stand; ours are --x-extent 0:1000.

// canonical spells a flag's name as ours: --render_baseURL is --render-baseurl.
func canonical(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(strings.ToLower(name), "_", "-"))
}

// wordCounts are the flags that may take their values as several words, and
// how many.
var wordCounts = map[string]int{
	"x-extent": 2, "y-extent": 2, "z-extent": 2,
	"coord-frame-x-extent": 2, "coord-frame-y-extent": 2, "coord-frame-z-extent": 2,
	"z-range": 2, "limit-x": 2, "limit-y": 2, "limit-z": 2,
	"voxel-size": 3, "forced-offsets": 3, "render-window": 2,
}

// number is a value's first, second or third word. Anything else ends the value.
var number = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$`)

// joinWords makes one word of the values of every flag that takes several:
// {"--z_range", "-3", "2"} becomes {"--z_range=-3:2"}.
func joinWords(args []string) []string {
	var out []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			return append(append(out, arg), args...)
		}
		n := 0
		if name, ok := strings.CutPrefix(arg, "--"); ok {
			n = wordCounts[string(canonical(nil, name))]
		}
		words := 0
		for words < min(n, len(args)) && number.MatchString(args[words]) {
			words++
		}
		if words > 0 {
			arg += "=" + strings.Join(args[:words], ":")
			args = args[words:]
		}
		out = append(out, arg)
	}
	return out
}
