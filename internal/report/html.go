package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"time"
)

//go:embed page.html
var pageText string

// Widths of drawings, and how many bins they have: a phone gets ones of its own,
// because letters that shrink with them cannot be read.
const (
	wide, wideBins     = 1040, 200
	narrow, narrowBins = 350, 80
)

// page is what the template sees.
type page struct {
	*Report
	Class, Sign        string
	Strips, Courses    []sized
	Map                drawing
	Legend             []legendLine
	Covers             string
	TooShort           bool
	Thumbnails         []thumbnail
	Cuboids            int64
	FailedAll, LostAll int
}

// sized is a drawing for one width of the window.
type sized struct {
	Class string
	drawing
}

// thumbnail is a picture as the template sees it.
type thumbnail struct {
	Picture
	URL           template.URL
	Width, Height int
}

var (
	stateClasses = [...]string{Unfinished: "wait", Complete: "good", Verified: "good", Incomplete: "bad", Differs: "bad"}
	stateSigns   = [...]string{Unfinished: "…", Complete: "✓", Verified: "✓✓", Incomplete: "!", Differs: "≠"}
)

// WriteHTML writes the report.
func (r *Report) WriteHTML(w io.Writer) error {
	funcs := template.FuncMap{
		"time":  func(t time.Time) string { return r.stamp(t) },
		"good":  func(c Check) bool { return c.good() },
		"ended": func(e End) string { return endClasses[e] },
	}
	t, err := template.New("page").Funcs(funcs).Parse(pageText)
	if err != nil {
		return err
	}
	p := page{
		Report: r, Class: stateClasses[r.State], Sign: stateSigns[r.State],
		TooShort: r.Course.TooShort(), FailedAll: len(r.Failed) + r.FailedMore, LostAll: len(r.Missing) + r.MissingMore,
	}
	if p.Cuboids = r.Coverage.all.total(); p.Cuboids > 0 {
		p.Strips = []sized{{"wide", r.Coverage.drawStrip(wide, wideBins)}, {"narrow", r.Coverage.drawStrip(narrow, narrowBins)}}
		p.Map, p.Legend, p.Covers = r.Coverage.drawMap(), r.Coverage.legend(), r.Coverage.covers()
	}
	if !p.TooShort {
		p.Courses = []sized{{"wide", r.Course.draw(wide, 160)}, {"narrow", r.Course.draw(narrow, 60)}}
	}
	for _, pic := range r.Pictures {
		th, err := newThumbnail(pic)
		if err != nil {
			return err
		}
		p.Thumbnails = append(p.Thumbnails, th)
	}
	return t.Execute(w, p)
}

// stamp is a time as the report has it.
func (r *Report) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.Written.Location()).Format(time.DateTime)
}

// newThumbnail puts a picture into an address: as JPEG, unless each color is a label.
func newThumbnail(p Picture) (thumbnail, error) {
	t := thumbnail{Picture: p}
	if p.Image == nil {
		return t, nil
	}
	t.Width, t.Height = p.Image.Bounds().Dx(), p.Image.Bounds().Dy()
	var b bytes.Buffer
	kind, err := "png", error(nil)
	if p.Labels {
		err = png.Encode(&b, p.Image)
	} else {
		kind, err = "jpeg", jpeg.Encode(&b, grayOf(p.Image), &jpeg.Options{Quality: 85})
	}
	t.URL = template.URL("data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
	return t, err
}

func grayOf(m image.Image) image.Image {
	g := image.NewGray(m.Bounds())
	draw.Draw(g, g.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
	draw.Draw(g, g.Bounds(), m, m.Bounds().Min, draw.Over)
	return g
}
