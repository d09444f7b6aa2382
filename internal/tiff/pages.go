package tiff

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxPages bounds the walk along the pages of a file.
const maxPages = 1024

// onlyPage refuses a file with more images than the first. Smaller ones are
// taken for thumbnails and pyramids, as are those that say so (NewSubfileType,
// TIFF 6.0 section 8: bit 0 reduced resolution, bit 2 a mask).
func (f *file) onlyPage(first *directory, l *layout) error {
	if n := f.hiddenPages(first, l); n > 1 {
		return unsupported(fmt.Sprintf("a stack of %d images in one file", n))
	}
	next := first.next
	for page := 2; next != 0; page++ {
		if l.damage != nil && !f.has(next, 2) {
			return nil // it went with the rest of the file
		}
		if page > maxPages {
			return fmt.Errorf("more than %d directories, or a loop of them", maxPages)
		}
		d, err := f.directory(next)
		if err != nil {
			return fmt.Errorf("page %d: %w", page, err)
		}
		if f.fullPage(d, l) {
			return unsupported(fmt.Sprintf("a stack of images in one file (page %d is not smaller than the first)", page))
		}
		next = d.next
	}
	return nil
}

// pageLayout is the layout of a page, counted from 0.
func (f *file) pageLayout(first *directory, page int) (*layout, error) {
	if page > 0 && first.next == 0 {
		if l, err := f.layout(first); err == nil && uint64(page) < f.hiddenPages(first, l) {
			return l.hidden(page), nil
		}
	}
	d, err := f.page(first, page)
	if err != nil {
		return nil, err
	}
	return f.layout(d)
}

// page walks along the directories to a page.
func (f *file) page(first *directory, page int) (d *directory, err error) {
	if page < 0 {
		return nil, errors.New("there is none")
	}
	d = first
	seen := map[uint64]bool{first.at: true}
	for n := 1; n <= page; n++ {
		switch {
		case d.next == 0:
			return nil, fmt.Errorf("the file has %d", n)
		case seen[d.next]:
			return nil, errors.New("a loop of directories")
		}
		seen[d.next] = true
		if d, err = f.directory(d.next); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// hidden is the layout of an image behind the one that the directory is of: see
// hiddenPages. It is a strip as high as the image, which ImageJ writes.
func (l *layout) hidden(page int) *layout {
	size := int64(l.width) * int64(l.height) * int64(l.bytes)
	l.segHeight, l.damage = l.height, nil
	l.segments = []segment{{l.segments[0].offset + int64(page)*size, size}}
	return l
}

// fullPage reports whether d is an image of its own beside the first.
func (f *file) fullPage(d *directory, l *layout) bool {
	kind, _ := f.number(d, tagNewSubfileType, 0)
	width, _ := f.number(d, tagImageWidth, 0)
	height, _ := f.number(d, tagImageLength, 0)
	return kind&(1|4) == 0 && width >= uint64(l.width) && height >= uint64(l.height)
}

// hiddenPages is the number of images that ImageJ says and stores behind a
// single directory, one after another, which it does with stacks over 4 GiB
// (ij.io.TiffDecoder and TiffEncoder). A description that was merely copied
// from a stack has no such data.
func (f *file) hiddenPages(d *directory, l *layout) uint64 {
	text := f.text(d, tagDescription)
	if !strings.HasPrefix(text, "ImageJ=") || l.codec != codecNone || l.tiled {
		return 0
	}
	_, text, _ = strings.Cut(text, "\nimages=")
	text, _, _ = strings.Cut(text, "\n")
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	all := uint64(f.size - l.segments[0].offset)
	if err != nil || n > all/uint64(l.width*l.height*l.bytes) {
		return 0
	}
	return n
}
