package verify

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/neurodata/ndpush/internal/voxel"
)

// maxLine bounds a line of a report that is read. A reason is a server's page at most.
const maxLine = 1 << 20

// A Merger puts reports together, in memory for each cuboid. Of several lines
// about one cuboid the last counts, so that what was wrong can be looked at
// again and its report appended. It has one user at a time.
type Merger struct {
	channels map[string]*merged
}

type merged struct {
	of       []voxel.Range
	through  []voxel.Range // slices whose reports are whole
	verdicts map[voxel.Box]Finding
}

// A Merged is what the reports of a channel say together.
type Merged struct {
	Channel string
	Tally
	Gaps []voxel.Range // slices, in BOSS coordinates, of which no report says all, ascending
}

// Read reads a report, or several one after the other. A last line that was cut
// off, as kill -9 leaves it, is not looked at. The error names the line.
func (m *Merger) Read(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var part part
	for n := 1; ; n++ {
		text, err := next(in)
		if err == io.EOF {
			part.end()
			return nil
		}
		if err == nil {
			err = m.take(text, &part)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// next gives the next line without its newline; io.EOF after the last whole one.
func next(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text[:len(text)-1], nil
		case err != bufio.ErrBufferFull:
			return nil, err
		case len(text) > maxLine:
			return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
		}
	}
}

// A part is the lines under one head.
type part struct {
	head Head
	in   *merged // nil: before the first head
	n    int64
}

// end notes whether the part was whole.
func (p *part) end() {
	if p.in != nil && p.n == p.head.Cuboids {
		p.in.through = append(p.in.through, p.head.Z)
	}
}

// take adds a line to what is known.
func (m *Merger) take(text []byte, p *part) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return errors.New("it is no line of a report")
	}
	if l.Cuboids != nil {
		p.end()
		return m.begin(&l, p)
	}
	f, err := l.finding()
	switch {
	case err != nil:
		return err
	case p.in == nil:
		return errors.New("it comes before the line that says what the report is about")
	case l.Channel != p.head.Channel:
		return fmt.Errorf("it is about channel %q, in a report about %q", l.Channel, p.head.Channel)
	case !f.Box.Z().Overlaps(p.head.Z):
		return fmt.Errorf("box %v is not of the slices %v that the report is about", f.Box, p.head.Z)
	}
	p.n++
	p.in.verdicts[f.Box] = f
	return nil
}

// begin begins a part.
func (m *Merger) begin(l *line, p *part) error {
	z, err := voxel.ParseRange(l.Z)
	if err != nil {
		return fmt.Errorf("z: %w", err)
	}
	of, err := voxel.ParseRange(l.Of)
	if err != nil {
		return fmt.Errorf("of: %w", err)
	}
	if l.Channel == "" || *l.Cuboids < 0 {
		return errors.New("it does not say which channel it is about, or of how many cuboids")
	}
	if m.channels == nil {
		m.channels = make(map[string]*merged)
	}
	c := m.channels[l.Channel]
	if c == nil {
		c = &merged{verdicts: make(map[voxel.Box]Finding)}
		m.channels[l.Channel] = c
	}
	c.of = append(c.of, of)
	*p = part{head: Head{l.Channel, z, of, *l.Cuboids}, in: c}
	return nil
}

func (l *line) finding() (Finding, error) {
	box, err := voxel.ParseBox(l.Box)
	if err != nil {
		return Finding{}, err
	}
	if !slices.Contains([]Verdict{Match, Differ, Missing, Error}, l.Verdict) {
		return Finding{}, fmt.Errorf("verdict %q: want match, differ, missing or error", l.Verdict)
	}
	return Finding{Claim{Box: box, Fate: l.Fate, Lost: l.Lost}, l.Verdict, l.Why}, nil
}

// Sum is what was read, by channel in the order of their names.
func (m *Merger) Sum() []Merged {
	var all []Merged
	for _, name := range slices.Sorted(maps.Keys(m.channels)) {
		c := m.channels[name]
		sum := Merged{Channel: name, Gaps: c.gaps()}
		boxes := slices.SortedFunc(maps.Keys(c.verdicts), voxel.Box.Compare)
		for _, box := range boxes {
			sum.Add(c.verdicts[box])
		}
		all = append(all, sum)
	}
	return all
}

// gaps is what of the slices that there are no whole part is about.
func (c *merged) gaps() []voxel.Range {
	var of voxel.Range
	for i, r := range c.of {
		if i == 0 {
			of = r
		}
		of = voxel.Range{Min: min(of.Min, r.Min), Max: max(of.Max, r.Max)}
	}
	slices.SortFunc(c.through, func(a, b voxel.Range) int { return a.Min - b.Min })
	var gaps []voxel.Range
	at := of.Min
	for _, r := range c.through {
		if r.Min > at {
			gaps = append(gaps, voxel.Range{Min: at, Max: min(r.Min, of.Max)})
		}
		at = max(at, r.Max)
	}
	if at < of.Max {
		gaps = append(gaps, voxel.Range{Min: at, Max: of.Max})
	}
	return gaps
}
