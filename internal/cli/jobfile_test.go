package cli

import (
	"bytes"
	"regexp"
	"testing"
)

// FuzzJobFile: whatever a file holds, its lines are read, or one sentence says where
// it is no job file.
func FuzzJobFile(f *testing.F) {
	for _, text := range []string{
		"# the stack\ncollection = lab\nx_extent=0 100\n", "\ufeffchannel = em\r\n", "channel\n", "[open\n", "[lab]\na = b\n", "= x\n", "```=3\n",
		"collection = \"\"\"lab\n x", "a = 1\na = 2\n", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR = \x00", "\xff\xfec\x00=\x00", "\"k[\" = \\\n", "",
	} {
		f.Add([]byte(text))
	}
	sentence := regexp.MustCompile(`^a\.ini(:[1-9][0-9]*)?: [^\n]+$`)
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, err := parseJobFile("a.ini", text)
		if err != nil && !sentence.MatchString(err.Error()) {
			t.Errorf("%q: %v", text, err)
		}
		for _, l := range lines {
			if l.n < 0 || l.n > bytes.Count(text, []byte("\n"))+1 {
				t.Errorf("%q: %q is in line %d", text, l.key, l.n)
			}
		}
	})
}
