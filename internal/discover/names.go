package discover

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/source"
)

// A form is a name without its numbers: a text before each of them, and one after
// the last.
type form struct {
	texts     []string
	extension string // without its dot; "" if there is none
}

// key is the same for names of one form. No text has a digit.
func (f form) key() string { return strings.Join(f.texts, "0") + "0." + f.extension }

// A file has a name, in which these numbers are, as they are written.
type file struct {
	name    string
	numbers []string
}

// parse cuts a name at its numbers. Those of its extension are none.
func parse(name string) (form, []string) {
	stem, extension := cutExtension(name)
	f := form{extension: extension}
	var numbers []string
	for {
		i := strings.IndexFunc(stem, isDigit)
		if i < 0 {
			f.texts = append(f.texts, stem)
			return f, numbers
		}
		n := len(stem[i:]) - len(strings.TrimLeftFunc(stem[i:], isDigit))
		f.texts = append(f.texts, stem[:i])
		numbers = append(numbers, stem[i:i+n])
		stem = stem[i+n:]
	}
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// cutExtension cuts off what follows the last dot, unless it is a number, and the
// ome of ome.tif.
func cutExtension(name string) (stem, extension string) {
	dir, base := path.Split(name)
	i := strings.LastIndexByte(base, '.')
	if i <= 0 || strings.Trim(base[i+1:], "0123456789") == "" {
		return name, ""
	}
	if j := strings.LastIndexByte(base[:i], '.'); j > 0 && strings.EqualFold(base[j:i], ".ome") {
		i = j
	}
	return dir + base[:i], base[i+1:]
}

// maxDigits is how many a slice's number has at most; longer ones are times.
const maxDigits = 9

// A group is the files of one form.
type group struct {
	form
	files []file
}

// series gives the stacks that the files of g are. Files that are in none are
// counted in f.
func (g *group) series(f *Finding) []*Series {
	z := g.counting()
	if z < 0 {
		return g.uncounted(f)
	}
	twins, fixed := g.sortColumns(z)
	parts := make(map[string][]file)
	for _, file := range g.files {
		var key strings.Builder
		for _, c := range fixed {
			key.WriteString(file.numbers[c] + " ")
		}
		parts[key.String()] = append(parts[key.String()], file)
	}
	// Where nearly every file is a series of its own, none is: the numbers that
	// should be the same for all, such as times, change from slice to slice.
	if len(parts) > 2 && 2*len(parts) > len(g.files) {
		f.change(g.files)
		return nil
	}
	var list []*Series
	for _, files := range parts {
		s := g.count(files, twins)
		if len(s.Slices) == 0 { // such as 01/1 and 2/02
			f.change(files)
			continue
		}
		list = append(list, s)
	}
	return list
}

// uncounted gives the stacks of files that have no number that counts: there is one
// file only, or their numbers are too long, of which others may be left.
func (g *group) uncounted(f *Finding) []*Series {
	if len(g.files) == 1 {
		return []*Series{g.single(g.files[0])}
	}
	short := group{form: g.form}
	var long []file
	for _, file := range g.files {
		if slices.ContainsFunc(file.numbers, func(n string) bool { return len(n) > maxDigits }) {
			long = append(long, file)
		} else {
			short.files = append(short.files, file)
		}
	}
	f.long(long)
	if len(short.files) == 0 {
		return nil
	}
	return short.series(f)
}

// single gives the series of one file.
func (g *group) single(one file) *Series {
	last := len(one.numbers) - 1
	if last >= 0 && len(one.numbers[last]) <= maxDigits {
		return g.count([]file{one}, []int{last})
	}
	stem, _ := cutExtension(one.name)
	return &Series{BaseFilename: stem, Extension: g.extension, ZStep: 1, Slices: source.Ranges([]int{0})}
}

// counting is the column of the numbers that count slices: of those that are
// not the same in all files the one with the most different numbers, and of several
// such the last; -1 if there is none.
func (g *group) counting() int {
	best, most := -1, 1
	for c := range len(g.texts) - 1 {
		seen := make(map[string]bool)
		long := false
		for _, file := range g.files {
			seen[file.numbers[c]] = true
			long = long || len(file.numbers[c]) > maxDigits
		}
		if n := len(seen); n > 1 && n >= most && !long {
			best, most = c, n
		}
	}
	return best
}

// sortColumns gives the columns that have the number of column z in all files,
// z among them, and the others.
func (g *group) sortColumns(z int) (twins, fixed []int) {
	for c := range len(g.texts) - 1 {
		same := !slices.ContainsFunc(g.files, func(f file) bool {
			return strings.TrimLeft(f.numbers[c], "0") != strings.TrimLeft(f.numbers[z], "0")
		})
		if same {
			twins = append(twins, c)
		} else {
			fixed = append(fixed, c)
		}
	}
	return twins, fixed
}

// count makes a series of files that differ in the numbers of some columns, which
// are the same number.
func (g *group) count(files []file, columns []int) *Series {
	s := &Series{Extension: g.extension}
	widths := make(map[int]int)
	for _, c := range columns {
		widths[c] = width(files, c)
	}
	var base strings.Builder
	for c, text := range g.texts {
		base.WriteString(text)
		if c == len(g.texts)-1 {
			break
		}
		switch w, ok := widths[c]; {
		case !ok:
			base.WriteString(files[0].numbers[c])
		case w == 0:
			base.WriteString("<>")
		default:
			fmt.Fprintf(&base, "<p:%d>", w)
		}
	}
	s.BaseFilename = base.String()
	var numbers []int
	for _, file := range files {
		fits := !slices.ContainsFunc(columns, func(c int) bool { return !padded(file.numbers[c], widths[c]) })
		if n, err := strconv.Atoi(file.numbers[columns[0]]); err == nil && fits {
			numbers = append(numbers, n)
			continue
		}
		if s.Odd++; s.Odd == 1 || file.name < s.OddName {
			s.OddName = file.name
		}
	}
	s.ZStep = step(numbers)
	for i := range numbers {
		numbers[i] /= s.ZStep
	}
	s.Slices = source.Ranges(numbers)
	return s
}

// width is how wide the most numbers of a column are padded with zeros; 0 if they
// are not.
func width(files []file, column int) int {
	votes := make(map[int]int)
	shortest, longest := len(files[0].numbers[column]), 0
	for _, f := range files {
		n := f.numbers[column]
		shortest, longest = min(shortest, len(n)), max(longest, len(n))
		if len(n) > 1 && n[0] == '0' {
			votes[len(n)]++
		}
	}
	if len(votes) == 0 { // all as they are; of one length they may as well be padded
		if shortest == longest && shortest > 1 {
			return shortest
		}
		return 0
	}
	best, most := 0, 0
	for w := range longest + 1 { // ascending, so that it is the same each time
		fit := 0
		for _, f := range files {
			if padded(f.numbers[column], w) {
				fit++
			}
		}
		if (w == 0 || votes[w] > 0) && fit > most {
			best, most = w, fit
		}
	}
	return best
}

// padded reports whether a number is written as one that is padded to a width.
func padded(number string, width int) bool {
	if len(number) > 1 && number[0] == '0' {
		return len(number) == width
	}
	return len(number) >= width
}

// enough numbers that are all multiples of one are no accident.
const enough = 3

// step is the largest number that all of these are multiples of.
func step(numbers []int) int {
	var gcd int
	for _, n := range numbers {
		for a := n; a != 0; {
			gcd, a = a, gcd%a
		}
	}
	if len(numbers) < enough || gcd == 0 {
		return 1
	}
	return gcd
}
