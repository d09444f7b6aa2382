package slack

import (
	"io"
	"os"
	"strings"
)

// What is sent of a log: as much as a person looks through.
const (
	tailBytes = 64 << 10
	tailLines = 200
)

// tail is the end of a file, in whole lines; "" if there is none.
func tail(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	from := max(0, size-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return "", err
	}
	return lastLines(strings.ToValidUTF8(string(text), "?"), from > 0), nil
}

// lastLines are the last lines of text, whose first is half of one if cut.
func lastLines(text string, cut bool) string {
	if _, rest, ok := strings.Cut(text, "\n"); cut && ok {
		text = rest
	}
	lines := strings.SplitAfter(text, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "")
}
