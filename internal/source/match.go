package source

import (
	"context"
	"fmt"
	"iter"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// A Finder is an [Opener] that can tell which files there are.
type Finder interface {
	// Find gives the names of the files, as Open takes them, that begin with
	// prefix and have at most depth "/" behind the last one of prefix. It may give
	// others that lie no deeper, and is in no order. Nothing is opened. An error
	// ends it; where there is nothing, it ends without one.
	Find(ctx context.Context, prefix string, depth int) iter.Seq2[string, error]
}

// Match gives the slice whose file is called name: it is the reverse of Name.
func (p Pattern) Match(name string) (z int, ok bool) {
	digits := name
	for _, part := range p.parts {
		if part.text == "" {
			break
		}
		if digits, ok = strings.CutPrefix(digits, part.text); !ok {
			return 0, false
		}
	}
	if !numbered(p.parts) {
		return 0, name == p.Name(0)
	}
	// Text that follows may begin with a digit, so the number may end anywhere.
	for n := len(digits) - len(strings.TrimLeft(digits, "-0123456789")); n > 0; n-- {
		number, err := strconv.Atoi(digits[:n])
		if err == nil && number%p.step == 0 && p.Name(number/p.step) == name {
			return number / p.step, true
		}
	}
	return 0, false
}

// place is where the files lie: the directory of their names (ending in "/", or
// empty), the text with which they begin in it, and how many directories may lie
// between.
func (p Pattern) place() (dir, stem string, depth int) {
	text, rest := "", p.parts
	for len(rest) > 0 && rest[0].text != "" {
		text, rest = text+rest[0].text, rest[1:]
	}
	for _, part := range rest {
		depth += strings.Count(part.text, "/")
	}
	dir, stem = path.Split(text)
	return dir, stem, depth
}

// A likeness finds names that a person could take for those of slices.
type likeness struct {
	pattern Pattern
	like    *regexp.Regexp // a group for each number, and one for what follows
}

func newLikeness(p Pattern) likeness {
	var b strings.Builder
	b.WriteString("(?is)^")
	for _, part := range p.parts {
		if part.text == "" {
			b.WriteString(`(-?\d+)`)
		} else {
			b.WriteString(regexp.QuoteMeta(valid(part.text)))
		}
	}
	b.WriteString("(.*)$")
	return likeness{p, regexp.MustCompile(b.String())}
}

// valid is name as regular expressions can take it: the names of files are
// bytes, mostly of UTF-8.
func valid(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

// temporaryPrefixes and temporarySuffixes are the beginnings and ends of the names of files that are not yet,
// or not any more, what they are called: those of editors, browsers, rsync,
// FileZilla and macOS.
var (
	temporaryPrefixes = []string{"._", "~$", ".", "~", "#"}
	temporarySuffixes = []string{"~", "#", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".incomplete", ".swp", ".bak", ".old", ".lock"}
)

// bare is name without what makes it that of a temporary file.
func bare(name string) (rest string, temporary bool) {
	dir, base := path.Split(name)
	rest = base
	for _, prefix := range temporaryPrefixes {
		if s, ok := strings.CutPrefix(rest, prefix); ok {
			rest = s
			break
		}
	}
	for _, suffix := range temporarySuffixes {
		if n := len(rest) - len(suffix); n > 0 && strings.EqualFold(rest[n:], suffix) {
			rest = rest[:n]
			break
		}
	}
	return dir + rest, rest != base
}

// judge says why name, which does not match, is not read; not ok if nobody would
// expect it to be.
func (l likeness) judge(name string) (s Stray, ok bool) {
	groups, temporary := l.like.FindStringSubmatch(valid(name)), false
	if rest, cut := bare(valid(name)); cut {
		if g := l.like.FindStringSubmatch(rest); g != nil && l.tails(g[len(g)-1]) {
			groups, temporary = g, true
		}
	}
	if groups == nil || !l.tails(groups[len(groups)-1]) {
		return Stray{}, false
	}
	numbers, tail := groups[1:len(groups)-1], groups[len(groups)-1]
	s.Name = name
	var err error
	if s.number, err = strconv.Atoi(numbers[0]); err != nil {
		return Stray{}, false // more digits than any stack has slices
	}
	step := l.pattern.step
	s.z, s.slice = s.number/step, s.number%step == 0
	s.Reason = l.reason(s, numbers, tail, temporary)
	return s, true
}

// tails reports whether what follows the last part of a name may be an extension.
func (l likeness) tails(tail string) bool {
	return tail == "" || tail[0] == '.' || strings.EqualFold(tail, l.pattern.extension)
}

// reason says why s is not read.
func (l likeness) reason(s Stray, numbers []string, tail string, temporary bool) string {
	for _, number := range numbers {
		if n, err := strconv.Atoi(number); err != nil || n != s.number {
			return "its numbers differ"
		}
	}
	right := l.pattern.Name(s.z)
	switch ext := l.pattern.extension; {
	case temporary:
		return "a temporary or hidden file"
	case !s.slice:
		return fmt.Sprintf("%d is no multiple of the z step %d", s.number, l.pattern.step)
	case tail == "" && ext != "":
		return fmt.Sprintf("it has no extension, where slice %d is %s", s.z, right)
	case !strings.EqualFold(tail, ext):
		return fmt.Sprintf("its extension is %s, where slice %d is %s", tail, s.z, right)
	case strings.EqualFold(s.Name, right):
		return fmt.Sprintf("capitals and small letters differ, where slice %d is %s", s.z, right)
	}
	return fmt.Sprintf("its number has other zeros in front, where slice %d is %s", s.z, right)
}
