package preview

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"io"
	"math/bits"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Page is what is shown. Boxes are in BOSS coordinates.
type Page struct {
	Title  string
	Facts  []Fact
	Slices []*Slice
	Labels bool

	Image voxel.Box // where the images lie
	Data  voxel.Box // what of them is posted
	Frame voxel.Box // the coordinate frame to create
	ToZ   int       // what is added to a slice's z to give BOSS's
}

// A Fact is a line about all slices.
type Fact struct{ What, Is string }

//go:embed page.html
var pageText string

// gridStep is the side of a cuboid.
const gridStep = 1024

// maxLines is how many lines of the grid are drawn each way; of more, every other.
const maxLines = 48

// WriteHTML writes the page as a file that needs no other.
func (p *Page) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	view := pageView{Page: p, View: p.view(), Grid: p.grid()}
	for _, s := range p.Slices {
		v, err := newSliceView(s, p)
		if err != nil {
			return err
		}
		view.Views = append(view.Views, v)
	}
	return t.Execute(w, view)
}

// pageView is what the template sees.
type pageView struct {
	*Page
	View  rect
	Grid  []line
	Views []*sliceView
}

// A rect is a box as SVG has it.
type rect struct{ X, Y, W, H int }

func rectOf(b voxel.Box) rect { return rect{b.Min.X, b.Min.Y, b.X().Len(), b.Y().Len()} }

// Unit is the length of about a pixel on the screen, for lines and letters.
func (r rect) Unit() float64 { return float64(max(r.W, r.H)) / 1000 }

// Em is the height of letters.
func (r rect) Em() float64 { return 22 * r.Unit() }

// ImageRect, DataRect and FrameRect are the boxes as SVG has them.
func (v pageView) ImageRect() rect { return rectOf(v.Image) }
func (v pageView) DataRect() rect  { return rectOf(v.Data) }
func (v pageView) FrameRect() rect { return rectOf(v.Frame) }

// Cropped reports whether less than the images is posted.
func (v pageView) Cropped() bool { return v.DataRect() != v.ImageRect() }

// Outside is a path around what is shown with a hole where the data is.
func (v pageView) Outside() string {
	path := func(r rect) string { return fmt.Sprintf("M%d %dh%dv%dh%dz", r.X, r.Y, r.W, r.H, -r.W) }
	return path(v.ImageRect()) + path(v.DataRect())
}

// view is what is shown: the image, and as much of the frame as leaves the image
// large.
func (p *Page) view() rect {
	const part = 2
	size := p.Image.Size()
	mx, my := size.X/part+1, size.Y/part+1
	around := p.Image
	around.Min.X, around.Min.Y = around.Min.X-mx, around.Min.Y-my
	around.Max.X, around.Max.Y = around.Max.X+mx, around.Max.Y+my
	seen := p.Image
	if f := p.Frame.WithZ(p.Image.Z()).Intersect(around); !f.Empty() {
		seen = seen.Around(f)
	}
	long := max(seen.X().Len(), seen.Y().Len())
	seen.Min.X, seen.Min.Y = seen.Min.X-long/11, seen.Min.Y-long/25 // room for numbers
	seen.Max.X, seen.Max.Y = seen.Max.X+long/20, seen.Max.Y+long/50
	return rectOf(seen)
}

// A line is one of the grid.
type line struct {
	At       int
	Vertical bool
	Numbered bool // there is room for its number
}

// grid gives the borders of cuboids.
func (p *Page) grid() (lines []line) {
	for _, axis := range []struct {
		r        voxel.Range
		vertical bool
	}{{p.Data.X(), true}, {p.Data.Y(), false}} {
		step := gridStep
		for axis.r.CountPieces(step) > maxLines {
			step *= 2
		}
		room := p.view().W / 10 // of a number of five digits
		if !axis.vertical {
			room = p.view().H / 25
		}
		last := axis.r.Min - room
		for piece := range axis.r.Pieces(step) {
			numbered := piece.Min-last >= room && axis.r.Max-piece.Min >= room
			lines = append(lines, line{piece.Min, axis.vertical, numbered})
			if numbered {
				last = piece.Min
			}
		}
		lines = append(lines, line{axis.r.Max, axis.vertical, true})
	}
	return lines
}

// A sliceView is a slice as the template sees it.
type sliceView struct {
	*Slice
	URL   template.URL // of the picture
	Bars  []bar
	Said  []string
	BossZ int
}

func newSliceView(s *Slice, p *Page) (*sliceView, error) {
	v := &sliceView{Slice: s, Said: s.Notes(p.Labels), BossZ: s.Z + p.ToZ, Bars: bars(&s.Stats)}
	if s.Picture == nil {
		return v, nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, s.Picture); err != nil {
		return nil, err
	}
	v.URL = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
	return v, nil
}

// Zero is the share of zeros, for people.
func (v *sliceView) Zero() string {
	share := 100 * v.ZeroShare()
	switch {
	case share == 0:
		return "none"
	case share < 0.1:
		return "less than 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", share)
}

// Average is the mean, for people.
func (v *sliceView) Average() string { return fmt.Sprintf("%.1f", v.Mean) }

// Values is how many different values there are, or "".
func (v *sliceView) Values() string {
	n, ok := v.Different()
	if !ok {
		return ""
	}
	return fmt.Sprint(n)
}

// A bar is one of the histogram: its height is of 100.
type bar struct {
	Height   float64
	From, To int // values
	Count    int64
}

// histogramBars is how many there are.
const histogramBars = 128

// Top is the largest value of the histogram.
func (v *sliceView) Top() int { return v.Bars[len(v.Bars)-1].To }

// bars puts the counts into a histogram, up to the largest value that takes as many
// bits, or as uint8 has. Zeros, which are mostly no image, have
// only a bar that is as high as the highest of the others.
func bars(s *Stats) []bar {
	if s.Counts == nil {
		return nil
	}
	list := make([]bar, histogramBars)
	each := 1 << max(8, bits.Len64(s.Max)) / histogramBars
	highest := int64(1)
	for i := range list {
		list[i].From, list[i].To = i*each, (i+1)*each-1
		for v := list[i].From; v <= list[i].To; v++ {
			list[i].Count += s.Counts[v]
		}
		n := list[i].Count
		if i == 0 {
			n -= s.Zeros
		}
		highest = max(highest, n)
	}
	for i := range list {
		list[i].Height = min(100, 100*float64(list[i].Count)/float64(highest))
	}
	return list
}
