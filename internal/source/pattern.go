package source

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// Naming is how the files of a channel are called, as a job says it.
//
// BasePath and BaseFilename may hold <ch>, the channel's name; BaseFilename may
// hold the file's number, as <p:4>, padded with zeros to 4 characters (or any
// other number of them), or as <>, unpadded. Placeholders may come more than
// once, or not at all.
type Naming struct {
	BasePath     string // a directory, or the prefix of keys
	BaseFilename string // without the extension; "/" parts directories
	Extension    string // "tif", "ome.tif"; with or without a leading dot; or ""
	Channel      string
	ZStep        int // file number = z × ZStep; 0 is 1
}

// A Pattern gives the name of each slice's file. It is a value that nobody
// changes, safe for concurrent use.
type Pattern struct {
	base      string
	parts     []part
	extension string
	step      int
}

// A part of a name is text or, if it has no text, the file's number.
type part struct {
	text  string
	width int // of the number, at least
}

// maxPad is the widest number that a pattern may ask for.
const maxPad = 32

// ParsePattern reads the placeholders of n. Anything else in angle brackets is
// an error: a typing mistake would be a name that no file has.
func ParsePattern(n Naming) (Pattern, error) {
	step := n.ZStep
	if step == 0 {
		step = 1
	}
	if step < 0 {
		return Pattern{}, fmt.Errorf("z step %d: want 1 or more", n.ZStep)
	}
	base, err := parseParts(n.BasePath, n.Channel)
	if err != nil {
		return Pattern{}, fmt.Errorf("base path %q: %w", n.BasePath, err)
	}
	if numbered(base) {
		return Pattern{}, fmt.Errorf("base path %q: the number of a file belongs in the base filename, which may hold directories", n.BasePath)
	}
	parts, err := parseParts(n.BaseFilename, n.Channel)
	if err != nil {
		return Pattern{}, fmt.Errorf("base filename %q: %w", n.BaseFilename, err)
	}
	if len(parts) == 0 {
		return Pattern{}, errors.New("the base filename is empty")
	}
	p := Pattern{parts: parts, step: step}
	for _, part := range base {
		p.base += part.text
	}
	if ext := strings.TrimPrefix(n.Extension, "."); ext != "" {
		p.extension = "." + ext
	}
	return p, nil
}

// parseParts cuts s at its placeholders.
func parseParts(s, channel string) (parts []part, err error) {
	for s != "" {
		text, rest, found := strings.Cut(s, "<")
		if text != "" {
			parts = append(parts, part{text: text})
		}
		if !found {
			break
		}
		var name string
		if name, s, found = strings.Cut(rest, ">"); !found {
			return nil, fmt.Errorf("<%s lacks its >", name)
		}
		p, err := parsePlaceholder(name, channel)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// parsePlaceholder reads what stands between < and >.
func parsePlaceholder(name, channel string) (part, error) {
	switch {
	case name == "":
		return part{}, nil
	case name == "ch" && channel == "":
		return part{}, errors.New("<ch> needs the name of a channel")
	case name == "ch":
		return part{text: channel}, nil
	}
	digits, ok := strings.CutPrefix(name, "p:")
	width, err := strconv.Atoi(digits)
	if !ok || err != nil || width < 0 || width > maxPad {
		return part{}, fmt.Errorf("unknown placeholder <%s>: want <p:4> (the number padded to 4), <> (unpadded) or <ch>", name)
	}
	return part{width: width}, nil
}

// numbered reports whether a part is the file's number.
func numbered(parts []part) bool {
	for _, p := range parts {
		if p.text == "" {
			return true
		}
	}
	return false
}

// Base is the base path with the channel's name in it: what an [Opener] opens
// names in.
func (p Pattern) Base() string { return p.base }

// Name is the name of the file of slice z (source coordinates) in the base path.
func (p Pattern) Name(z int) string {
	var b strings.Builder
	for _, part := range p.parts {
		if part.text != "" {
			b.WriteString(part.text)
		} else {
			// Like Python's zfill, Go counts the sign: -3 in 4 is -003.
			fmt.Fprintf(&b, "%0*d", part.width, z*p.step)
		}
	}
	b.WriteString(p.extension)
	return b.String()
}

// Path is the base path and the name of slice z, for people to read.
func (p Pattern) Path(z int) string {
	if p.base == "" || strings.HasSuffix(p.base, "/") || strings.HasSuffix(p.base, `\`) {
		return p.base + p.Name(z)
	}
	return p.base + "/" + p.Name(z)
}

// Covers reports an error unless each slice of z has a file of its own: without
// a number in its name, the same image would be every slice.
func (p Pattern) Covers(z voxel.Range) error {
	if z.Len() > 1 && !numbered(p.parts) {
		return fmt.Errorf("%s is the file of all %d slices: the base filename needs <p:4> or <> where the number goes", p.Path(z.Min), z.Len())
	}
	return nil
}
