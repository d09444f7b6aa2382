package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Fate is what became of a cuboid, the best first.
type Fate uint8

const (
	Empty    Fate = iota // all zero, and not sent
	Posted               // BOSS took it
	Lossy                // it is done, but stands for rows that were missing
	Left                 // it was never sent
	InFlight             // it was begun, and no more is known
	Failed               // it was not posted
	fates
)

// names are the fates in words, letters what stands on the map, and classes what
// the style sheet calls them: what is left looks as what is in flight.
var (
	names   = [fates]string{"empty", "posted", "rows missing", "left", "in flight", "failed"}
	letters = [fates]string{Lossy: "M", Left: "L", InFlight: "L", Failed: "F"}
	classes = [fates]string{"e", "p", "m", "l", "l", "f"}
)

// A tally counts cuboids.
type tally [fates]int64

func (t *tally) add(u *tally) {
	for f, n := range u {
		t[f] += n
	}
}

func (t *tally) total() (n int64) {
	for _, k := range t {
		n += k
	}
	return n
}

// worst is the worst fate of which there is any.
func (t *tally) worst() Fate {
	for f := fates - 1; f > 0; f-- {
		if t[f] > 0 {
			return f
		}
	}
	return Empty
}

// text is "3 posted, 1 failed".
func (t *tally) text() string {
	var words []string
	for f := range fates {
		if n := t[fates-1-f]; n > 0 {
			words = append(words, fmt.Sprint(n, " ", names[fates-1-f]))
		}
	}
	return strings.Join(words, ", ")
}

// A Coverage counts cuboids by where they are and by what became of them.
type Coverage struct {
	cell    voxel.Point // the size of a cuboid
	bounds  voxel.Box
	all     tally
	layers  map[int]*tally    // by z, in cells
	columns map[[2]int]*tally // by x and y, in cells
}

// NewCoverage is one without cuboids; cell is the grid whose pieces they are.
func NewCoverage(cell voxel.Point) *Coverage {
	return &Coverage{cell: cell, layers: make(map[int]*tally), columns: make(map[[2]int]*tally)}
}

// Add counts a cuboid, which is not empty.
func (c *Coverage) Add(box voxel.Box, f Fate) {
	if c.all.total() == 0 {
		c.bounds = box
	}
	c.bounds = c.bounds.Around(box)
	c.all[f]++
	z := voxel.FloorDiv(box.Min.Z, c.cell.Z)
	if c.layers[z] == nil {
		c.layers[z] = new(tally)
	}
	c.layers[z][f]++
	at := [2]int{voxel.FloorDiv(box.Min.X, c.cell.X), voxel.FloorDiv(box.Min.Y, c.cell.Y)}
	if c.columns[at] == nil {
		c.columns[at] = new(tally)
	}
	c.columns[at][f]++
}

// cells are the cells of a range, and step how many of them are one bin, so that
// there are at most that many.
func cells(r voxel.Range, size, most int) (voxel.Range, int) {
	in := voxel.Range{Min: voxel.FloorDiv(r.Min, size), Max: voxel.FloorDiv(r.Max-1, size) + 1}
	return in, max(1, (in.Len()+most-1)/most)
}

// A bin is a part of the strip, or of the map.
type bin struct {
	at   voxel.Box // z counts in the strip, x and y on the map
	i, j int       // its place
	tally
}

// strip gives bins over z, at most that many.
func (c *Coverage) strip(most int) []bin {
	r, step := cells(c.bounds.Z(), c.cell.Z, most)
	bins := make([]bin, (r.Len()+step-1)/step)
	for i := range bins {
		z := voxel.Range{Min: (r.Min + i*step) * c.cell.Z, Max: (r.Min + (i+1)*step) * c.cell.Z}
		bins[i] = bin{at: c.bounds.WithZ(z.Intersect(c.bounds.Z())), i: i}
	}
	for z, t := range c.layers {
		bins[(z-r.Min)/step].add(t)
	}
	return bins
}

// plane gives bins over x and y, at most that many each way, and how many cells
// one is wide and high.
func (c *Coverage) plane(most int) (bins []bin, columns, rows, step int) {
	xs, sx := cells(c.bounds.X(), c.cell.X, most)
	ys, sy := cells(c.bounds.Y(), c.cell.Y, most)
	step = max(sx, sy)
	columns, rows = (xs.Len()+step-1)/step, (ys.Len()+step-1)/step
	bins = make([]bin, columns*rows)
	for n := range bins {
		i, j := n%columns, n/columns
		x := voxel.Range{Min: (xs.Min + i*step) * c.cell.X, Max: (xs.Min + (i+1)*step) * c.cell.X}
		y := voxel.Range{Min: (ys.Min + j*step) * c.cell.Y, Max: (ys.Min + (j+1)*step) * c.cell.Y}
		bins[n] = bin{at: voxel.NewBox(x, y, c.bounds.Z()).Intersect(c.bounds), i: i, j: j}
	}
	for at, t := range c.columns {
		bins[(at[1]-ys.Min)/step*columns+(at[0]-xs.Min)/step].add(t)
	}
	return bins, columns, rows, step
}

// A shape is a part of a drawing.
type shape struct {
	Class string
	Path  string
}

// A spot is a part of a drawing that says what it is.
type spot struct {
	Title  string
	Shapes []shape
}

// A label is a text in a drawing.
type label struct {
	X, Y float64
	Text string
	At   string // its anchor: start, middle or end
	Dim  bool
}

// A drawing is an SVG.
type drawing struct {
	W, H   float64
	Says   string // for who cannot see it
	Back   []shape
	Spots  []spot
	Front  []shape
	Labels []label
	Marks  []label // letters on spots
}

func box(x, y, w, h float64) string {
	return fmt.Sprintf("M%s %sh%sv%sh%sz", num(x), num(y), num(w), num(h), num(-w))
}

// num is a number with one digit after the point, if it needs it.
func num(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}

// stripHeight is that of the bars; least is how much of it trouble has that there
// is at all, because a cuboid of thousands would not be seen.
const (
	stripHeight = 64
	least       = 5
)

// drawStrip draws what became of the cuboids over z, as wide as that.
func (c *Coverage) drawStrip(width float64, most int) drawing {
	const left, right, top, bottom = 1, 1, 4, 22
	d := drawing{W: width, H: top + stripHeight + bottom, Says: "what became of the cuboids over z"}
	bins := c.strip(most)
	z := c.bounds.Z()
	scale := (width - left - right) / float64(z.Len())
	gap := 0.0
	if width/float64(len(bins)) > 4 {
		gap = 1
	}
	for i := range bins {
		b := &bins[i]
		x, w := left+float64(b.at.Min.Z-z.Min)*scale, float64(b.at.Z().Len())*scale
		s := spot{Title: fmt.Sprintf("z %v: %s", b.at.Z(), cmp.Or(b.text(), "nothing"))}
		y := float64(top)
		for f, h := range heights(&b.tally) {
			if h > 0 {
				s.Shapes = append(s.Shapes, shape{classes[fates-1-Fate(f)], box(x, y, w-gap, h)})
				y += h
			}
		}
		d.Spots = append(d.Spots, s)
	}
	for _, v := range ticks(z, int(width/90)) {
		x := left + float64(v-z.Min)*scale
		d.Front = append(d.Front, shape{"tick", fmt.Sprintf("M%s %sv5", num(x), num(top+stripHeight+1))})
		d.Labels = append(d.Labels, label{x, top + stripHeight + 18, fmt.Sprint(v), anchor(x, width), true})
	}
	return d
}

// anchor keeps a label at the edge of a drawing inside.
func anchor(x, width float64) string {
	switch {
	case x < 15:
		return "start"
	case x > width-15:
		return "end"
	}
	return "middle"
}

// heights are those of the parts of a bar, the worst fate first. What trouble has
// beyond its share, the others give.
func heights(t *tally) (h [fates]float64) {
	taken, shared := 0.0, 0.0
	var small [fates]bool
	for i := range h {
		f := fates - 1 - Fate(i)
		h[i] = stripHeight * float64(t[f]) / float64(max(1, t.total()))
		if small[i] = f >= Lossy && h[i] > 0 && h[i] < least; small[i] {
			h[i] = least
			taken += least
		} else {
			shared += h[i]
		}
	}
	for i := range h {
		if !small[i] && shared > 0 {
			h[i] *= (stripHeight - taken) / shared
		}
	}
	return h
}

// ticks are about n round numbers in r, with its ends.
func ticks(r voxel.Range, n int) []int {
	step := niceStep(r.Len(), n)
	list := []int{r.Min}
	for v := (voxel.FloorDiv(r.Min, step) + 1) * step; v < r.Max; v += step {
		if v-r.Min > step/2 && r.Max-v > step/2 {
			list = append(list, v)
		}
	}
	return append(list, r.Max)
}

// niceStep is 1, 2 or 5 times a power of ten, at most n of which make length.
func niceStep(length, n int) int {
	for k := 1; ; k *= 10 {
		for _, s := range []int{k, 2 * k, 5 * k} {
			if length/s <= max(1, n) {
				return s
			}
		}
	}
}

// mapBins is how many cells the map has each way, at most.
const mapBins = 48

// drawMap draws the worst that became of the cuboids, over x and y.
func (c *Coverage) drawMap() drawing {
	const left, top, room = 52, 26, 400
	bins, columns, rows, _ := c.plane(mapBins)
	side := min(110, room/float64(max(columns, rows)))
	d := drawing{W: left + side*float64(columns) + 20, H: top + side*float64(rows) + 8, Says: "what became of the cuboids over x and y"}
	for i := range bins {
		b := &bins[i]
		if b.total() == 0 {
			continue
		}
		worst := b.worst()
		x, y := left+float64(b.i)*side, top+float64(b.j)*side
		d.Spots = append(d.Spots, spot{
			Title:  fmt.Sprintf("x %v, y %v: %s", b.at.X(), b.at.Y(), b.text()),
			Shapes: []shape{{classes[worst], box(x+.5, y+.5, side-1, side-1)}},
		})
		// Many letters L would only be in the way.
		if l := letters[worst]; l != "" && (side >= 20 || side >= 12 && l != letters[Left]) {
			d.Marks = append(d.Marks, label{X: x + side/2, Y: y + side/2 + 4.2, Text: l, At: "middle"})
		}
	}
	d.Labels = append(d.Labels, label{8, top - 9, "y / x", "start", true})
	for i := 0; i <= columns; i++ {
		if wanted(i, columns, side, 58) {
			v := c.bounds.Max.X
			if i < columns {
				v = bins[i].at.Min.X
			}
			d.Labels = append(d.Labels, label{left + float64(i)*side, top - 9, fmt.Sprint(v), "middle", true})
		}
	}
	for j := 0; j <= rows; j++ {
		if wanted(j, rows, side, 22) {
			v := c.bounds.Max.Y
			if j < rows {
				v = bins[j*columns].at.Min.Y
			}
			d.Labels = append(d.Labels, label{left - 7, top + float64(j)*side + 4, fmt.Sprint(v), "end", true})
		}
	}
	return d
}

// wanted reports whether the i-th line of n cells has a number, where one needs
// that much room.
func wanted(i, n int, side, room float64) bool {
	each := 1
	for float64(each)*side < room {
		each++
	}
	return i == n || i%each == 0 && float64(n-i)*side >= room
}

// A legendLine tells what a color stands for, and how many cuboids are so.
type legendLine struct{ Class, Letter, Name, Means, Count, Share string }

// legend explains all fates but those in flight, which look as those left.
func (c *Coverage) legend() (lines []legendLine) {
	means := [fates]string{
		Posted: "BOSS took it", Empty: "all zero, so not sent", Lossy: "done, but stands for slices or rows that the source lacks",
		Left: "never sent", InFlight: "begun, and no more is known of it", Failed: "BOSS did not take it",
	}
	for _, f := range []Fate{Posted, Empty, Lossy, Failed, InFlight, Left} {
		n := c.all[f]
		lines = append(lines, legendLine{classes[f], letters[f], names[f], means[f], fmt.Sprint(n), Share(n, c.all.total())})
	}
	return lines
}

// Share is a part of a whole in percent, never rounded to none or all of it.
func Share(n, of int64) string {
	p := 100 * float64(n) / float64(of)
	switch {
	case n == 0:
		return "0 %"
	case n == of:
		return "100 %"
	case p < 0.1:
		return "< 0.1 %"
	case p > 99.9:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// covers says what one cell of the map is.
func (c *Coverage) covers() string {
	_, _, _, step := c.plane(mapBins)
	return fmt.Sprintf("%d × %d voxels, less at the edges, in %s of %d slices", step*c.cell.X, step*c.cell.Y, human.Count(len(c.layers), "layer"), c.cell.Z)
}
