package preview

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
)

// What a sheet is drawn with: the colors are those of the page.
var (
	sheetPaper = color.NRGBA{0xf3, 0xf4, 0xf6, 255}
	sheetBar   = color.NRGBA{0x47, 0x62, 0x7f, 255}
	sheetGrid  = color.NRGBA{0xff, 0xb0, 0x00, 255}
	sheetData  = color.NRGBA{0xe8, 0x38, 0x4f, 255}
)

const (
	sheetMargin    = 12
	sheetHistogram = 100
)

// WritePNG writes the pictures side by side, with the grid and what is posted, and
// a histogram below each. It has no words: those are on the page.
func (p *Page) WritePNG(w io.Writer) error {
	width, height := sheetMargin, 0
	for _, s := range p.Slices {
		size := s.pictureSize()
		width += size.X + sheetMargin
		height = max(height, size.Y)
	}
	sheet := image.NewNRGBA(image.Rect(0, 0, width, height+sheetHistogram+3*sheetMargin))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(sheetPaper), image.Point{}, draw.Src)
	x := sheetMargin
	for _, s := range p.Slices {
		size := s.pictureSize()
		at := image.Rectangle{Min: image.Pt(x, sheetMargin), Max: image.Pt(x, sheetMargin).Add(size)}
		p.drawSlice(sheet, at, s)
		p.drawBars(sheet, image.Rect(at.Min.X, height+2*sheetMargin, at.Max.X, height+2*sheetMargin+sheetHistogram), s)
		x += size.X + sheetMargin
	}
	return png.Encode(w, sheet)
}

// pictureSize is that of the picture, or of the empty place where it would be.
func (s *Slice) pictureSize() image.Point {
	if s.Picture == nil {
		return image.Pt(200, 200)
	}
	return s.Picture.Bounds().Size()
}

func (p *Page) drawSlice(sheet *image.NRGBA, at image.Rectangle, s *Slice) {
	fill := func(r image.Rectangle, c color.Color) {
		draw.Draw(sheet, r, image.NewUniform(c), image.Point{}, draw.Src)
	}
	if s.Picture != nil {
		draw.Draw(sheet, at, s.Picture, image.Point{}, draw.Over)
	}
	// Where a place of BOSS is in the picture.
	scale := func(v, min, length, to int) int { return (v - min) * to / max(1, length) }
	toX := func(v int) int { return at.Min.X + scale(v, p.Image.Min.X, p.Image.X().Len(), at.Dx()-1) }
	toY := func(v int) int { return at.Min.Y + scale(v, p.Image.Min.Y, p.Image.Y().Len(), at.Dy()-1) }
	data := image.Rect(toX(p.Data.Min.X), toY(p.Data.Min.Y), toX(p.Data.Max.X)+1, toY(p.Data.Max.Y)+1)
	for _, l := range p.grid() {
		if l.Vertical {
			fill(image.Rect(toX(l.At), data.Min.Y, toX(l.At)+1, data.Max.Y), sheetGrid)
		} else {
			fill(image.Rect(data.Min.X, toY(l.At), data.Max.X, toY(l.At)+1), sheetGrid)
		}
	}
	for _, edge := range []image.Rectangle{
		{data.Min, image.Pt(data.Max.X, data.Min.Y+1)}, {image.Pt(data.Min.X, data.Max.Y-1), data.Max},
		{data.Min, image.Pt(data.Min.X+1, data.Max.Y)}, {image.Pt(data.Max.X-1, data.Min.Y), data.Max},
	} {
		fill(edge, sheetData)
	}
}

func (p *Page) drawBars(sheet *image.NRGBA, at image.Rectangle, s *Slice) {
	list := bars(&s.Stats)
	for i, b := range list {
		x0, x1 := at.Min.X+i*at.Dx()/len(list), at.Min.X+(i+1)*at.Dx()/len(list)
		r := image.Rect(x0, at.Max.Y-int(b.Height)*at.Dy()/100, x1, at.Max.Y)
		draw.Draw(sheet, r, image.NewUniform(sheetBar), image.Point{}, draw.Src)
	}
}
