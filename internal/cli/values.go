package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// problems are what is wrong with a command line. A person who made three
// mistakes hears of three, so values that cannot be read are noted and judged
// with the rest instead of ending the parsing.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

// addAll adds the errors that err joins, if any.
func (p *problems) addAll(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

// A value is a flag that is read by a function and notes what is wrong with it.
type value struct {
	name     string
	kind     string // for the help
	text     string
	parse    func(text string) error
	problems *problems
}

// Set implements pflag.Value.
func (v *value) Set(text string) error {
	v.text = text
	if err := v.parse(text); err != nil {
		v.problems.add("--%s %q: %w", v.name, text, err)
	}
	return nil
}

// String implements pflag.Value.
func (v *value) String() string { return v.text }

// Type implements pflag.Value.
func (v *value) Type() string { return v.kind }

// parseRange reads "0:1000" into r.
func parseRange(r *voxel.Range) func(string) error {
	return func(text string) error {
		n, err := integers(text, 2)
		if err != nil {
			return fmt.Errorf("want two integers like 0:1000 or -500:500")
		}
		*r = voxel.Range{Min: n[0], Max: n[1]}
		if r.Empty() {
			return fmt.Errorf("the range is empty: it is half-open, so its second number must be larger than the first")
		}
		return nil
	}
}

// parsePoint reads "1:2:3" or "1,2,3" into *p, which it makes.
func parsePoint(p **voxel.Point) func(string) error {
	return func(text string) error {
		n, err := integers(text, 3)
		if err != nil {
			return fmt.Errorf("want three integers like 0:0:-37, in x, y and z")
		}
		*p = &voxel.Point{X: n[0], Y: n[1], Z: n[2]}
		return nil
	}
}

// parseSize reads "4:4:40" or "4,4,40" into size.
func parseSize(size *[3]float64) func(string) error {
	return func(text string) error {
		words := split(text)
		if len(words) != 3 {
			return fmt.Errorf("want three numbers like 4:4:40, in x, y and z")
		}
		for i, w := range words {
			f, err := strconv.ParseFloat(w, 64)
			if err != nil {
				return fmt.Errorf("want three numbers like 4:4:40, in x, y and z")
			}
			size[i] = f
		}
		if *size == [3]float64{} {
			return fmt.Errorf("want lengths above 0") // all 0 is how a job says that there is none
		}
		return nil
	}
}

// parseInt reads an integer of at least low into i.
func parseInt(i *int, low int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low {
			return fmt.Errorf("want an integer of %d or more", low)
		}
		*i = n
		return nil
	}
}

// parsePair reads "0:255" into *p, which it makes.
func parsePair(p **[2]int) func(string) error {
	return func(text string) error {
		n, err := integers(text, 2)
		if err != nil || n[0] >= n[1] {
			return fmt.Errorf("want two integers like 0:255, the smaller first")
		}
		*p = &[2]int{n[0], n[1]}
		return nil
	}
}

// parseFraction reads a number above 0 and up to 1 into f.
func parseFraction(f *float64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n > 0 && n <= 1) {
			return fmt.Errorf("want a number above 0 and up to 1")
		}
		*f = n
		return nil
	}
}

// parseOneOf reads one of a few words into s.
func parseOneOf(s *string, words ...string) func(string) error {
	return func(text string) error {
		for _, w := range words {
			if text == w {
				*s = text
				return nil
			}
		}
		return fmt.Errorf("want %s", strings.Join(words, ", "))
	}
}

// parseWith reads a value of any type by its own function.
func parseWith[T any](v *T, read func(string) (T, error)) func(string) error {
	return func(text string) (err error) {
		*v, err = read(text)
		return err
	}
}

func integers(text string, n int) ([]int, error) {
	words := split(text)
	if len(words) != n {
		return nil, fmt.Errorf("%d words", len(words))
	}
	ints := make([]int, n)
	for i, w := range words {
		var err error
		if ints[i], err = strconv.Atoi(w); err != nil {
			return nil, err
		}
	}
	return ints, nil
}

// split cuts at colons, commas or blanks: all three have been seen.
func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == ',' || r == ' ' })
}
