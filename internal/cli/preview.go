package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/preview"
	"github.com/neurodata/ndpush/internal/voxel"
)

type previewOptions struct {
	jobFlags
	z   []int
	out string
}

func (a *app) newPreviewCmd() *cobra.Command {
	o := new(previewOptions)
	cmd := &cobra.Command{
		Use:   "preview [flags]",
		Short: "Show a few slices as they will be in BOSS, before they are sent",
		Long: `Preview reads the first, the middle and the last slice and writes a page for a
browser: small pictures of them, with BOSS's cuboids, what is posted of them and
the coordinate frame drawn over, a histogram of each and a few numbers. A wrong
byte order, a window, an offset or a crop that is not meant are seen there before
they are in BOSS. The page is one file that needs no network.

It takes the flags of the ingest, of which it needs neither names nor voxel size,
and does not ask BOSS.

Exit status:
  0    the page was written
  1    it could not be
  2    wrong usage
  3    the page was written, and some of its slices are missing or damaged
  130  interrupted`,
		Example: `  ndpush preview --job fly.ini
  ndpush preview --job fly.ini --z 5,11 -o fly.png`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runPreview(ctx, o) }),
	}
	flags := cmd.Flags()
	o.jobFlags.bind(flags)
	o.lenient = true
	o.value("z", "z,z…", "the slices to show, in the coordinates of the extents (default the first, the middle and the last)", parseInts(&o.z))
	flags.StringVarP(&o.out, "out", "o", "", "the file to write: a page or, if it ends in .png, a picture (default preview.html, or as the job file is called)")
	o.bindJobFile(cmd, nil)
	return cmd
}

// parseInts reads "5,100" into list.
func parseInts(list *[]int) func(string) error {
	return func(text string) error {
		*list = nil
		for _, word := range split(text) {
			n, err := strconv.Atoi(word)
			if err != nil {
				return errors.New("want integers like 5,100")
			}
			*list = append(*list, n)
		}
		if len(*list) == 0 {
			return errors.New("want integers like 5,100")
		}
		return nil
	}
}

func (a *app) runPreview(ctx context.Context, o *previewOptions) error {
	for _, n := range []*string{&o.spec.Collection, &o.spec.Experiment} {
		*n = cmp.Or(*n, "unknown")
	}
	if o.spec.Channel == "" && o.channelsFile == "" && !strings.Contains(o.naming.BasePath+o.naming.BaseFilename, "<ch>") {
		o.spec.Channel = "unknown"
	}
	jobs, err := a.jobs(ctx, &o.jobFlags)
	if err != nil || jobs == nil {
		return err
	}
	j := jobs[0]
	if len(jobs) > 1 {
		a.warn("the page is about the first of %s, %s: --channel shows another", human.Count(len(jobs), "channel"), j.Channel)
	}
	z, err := o.shown(j)
	if err != nil {
		return usage(err)
	}
	out := o.out
	if out == "" {
		out = strings.TrimSuffix(cmp.Or(o.file, "preview"), ".ini") + ".html"
	}
	if err := o.spare(out, j); err != nil {
		return usage(err)
	}
	in, err := o.input(ctx, j)
	if err != nil {
		return err
	}
	page := o.page(j)
	for _, z := range z {
		s, err := preview.Look(ctx, in, z, preview.Options{Labels: j.Annotation})
		if err != nil {
			return err
		}
		page.Slices = append(page.Slices, s)
	}
	if err := writePage(page, out); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "%s shows slices %s\n", out, joinInts(z))
	return a.sayNotes(page)
}

// shown are the slices to show.
func (o *previewOptions) shown(j *job.Job) ([]int, error) {
	r := j.ToSource(j.Data()).Z()
	if len(o.z) == 0 {
		return slices.Compact([]int{r.Min, r.Min + r.Len()/2, r.Max - 1}), nil
	}
	for _, z := range o.z {
		if z < r.Min || z >= r.Max {
			return nil, fmt.Errorf("--z %d: the job's slices are %v", z, r)
		}
	}
	return o.z, nil
}

// spare refuses to write over what the page is made of: the job file, or a slice
// of a stack that may be the only copy.
func (o *previewOptions) spare(out string, j *job.Job) error {
	there, err := os.Stat(out)
	if err != nil {
		return nil // nothing to write over; or writing says why not
	}
	makings := []string{o.file}
	if pattern, err := o.pattern(j); err == nil && o.datasource == "local" {
		for z := j.Z.Min; z < j.Z.Max; z++ {
			makings = append(makings, pattern.Path(z))
		}
	}
	for _, path := range makings {
		if f, err := os.Stat(path); err == nil && os.SameFile(f, there) {
			return fmt.Errorf("-o %s: the page is made of this file: give it another name", out)
		}
	}
	return nil
}

// page says what is known of all slices.
func (o *previewOptions) page(j *job.Job) *preview.Page {
	p := &preview.Page{Title: o.title(j), Labels: j.Annotation, Data: j.Data(), Frame: j.Frame(), ToZ: j.Offset().Z}
	p.Image = j.ToBOSS(voxel.NewBox(j.X, j.Y, j.Z))
	fact := func(what, format string, args ...any) {
		p.Facts = append(p.Facts, preview.Fact{What: what, Is: fmt.Sprintf(format, args...)})
	}
	if o.stack != nil {
		fact("from", "render stack %s at scale %v: %s", o.stack.Name(), o.stack.Scale(), o.stack.View())
	} else if pattern, err := o.pattern(j); err == nil {
		fact("from", "%s to %s", pattern.Path(j.Z.Min), pattern.Path(j.Z.Max-1))
	}
	kind := j.Type.String() + " image"
	if j.Annotation {
		kind = fmt.Sprintf("labels of %v, stored as uint64", j.Type)
	}
	fact("holds", "%s", kind)
	fact("extents", "x %v, y %v, z %v", j.X, j.Y, j.Z)
	if j.Offset() != (voxel.Point{}) {
		fact("shifted by", "%v", j.Offset())
	}
	fact("in BOSS", "x %v, y %v, z %v", j.Data().X(), j.Data().Y(), j.Data().Z())
	f := j.Frame()
	fact("frame", "x %v, y %v, z %v, if it is created", f.X(), f.Y(), f.Z())
	if j.VoxelSize != [3]float64{} {
		fact("voxel size", "%v × %v × %v %s", j.VoxelSize[0], j.VoxelSize[1], j.VoxelSize[2], j.VoxelUnit)
	} else {
		fact("voxel size", "not known yet")
	}
	plan := input{}.plan(j, j.Data(), 0, false)
	fact("is posted as", "%s, %s before compression", human.Count(plan.CountCuboids(), "cuboid"), human.Size(plan.Bytes()))
	return p
}

// title is the channel or, while that is not known, where the images are.
func (o *previewOptions) title(j *job.Job) string {
	if !strings.Contains("/"+j.Path()+"/", "/unknown/") {
		return j.Path()
	}
	if o.stack != nil {
		return o.stack.Name()
	}
	return cmp.Or(filepath.Base(o.naming.BasePath), o.naming.BaseFilename)
}

// writePage writes the page, or the picture.
func writePage(p *preview.Page, out string) (err error) {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	write := func(w io.Writer) error { return p.WriteHTML(w) }
	if strings.EqualFold(filepath.Ext(out), ".png") {
		write = func(w io.Writer) error { return p.WritePNG(w) }
	}
	return errors.Join(write(w), w.Flush())
}

// sayNotes says what looks wrong on a terminal, too.
func (a *app) sayNotes(p *preview.Page) error {
	missing := 0
	for _, s := range p.Slices {
		if s.Err != nil {
			missing++
			fmt.Fprintf(a.Stdout, "slice %d: %v\n", s.Z, s.Err)
		}
		for _, note := range s.Notes(p.Labels) {
			fmt.Fprintf(a.Stdout, "slice %d: %s\n", s.Z, note)
		}
	}
	if missing > 0 {
		return &exitError{exitIncomplete, fmt.Errorf("%s cannot be shown, or not all of it", human.Count(missing, "slice"))}
	}
	return nil
}

func joinInts(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ", ")
}
