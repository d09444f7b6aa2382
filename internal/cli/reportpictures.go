package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/preview"
	"github.com/neurodata/ndpush/internal/report"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

const (
	maxThumbnails = 24
	// thumbnailBytes is how many voxels are read for one, at most.
	thumbnailBytes = 16 << 20
	// thumbnailSide is how wide or high one is, at most, in pixels.
	thumbnailSide = 480
	// thumbnailTime is how long all of them may take: the page is worth more.
	thumbnailTime = 20 * time.Second
)

// addPictures adds slices that BOSS gives back. If it does not, the page says so.
func (a *app) addPictures(ctx context.Context, o *reportOptions, s *status, r *report.Report) {
	ctx, cancel := context.WithTimeout(ctx, thumbnailTime)
	defer cancel()
	list := s.shown(o.thumbnails)
	if len(list) == 0 {
		r.PicturesNote = "Nothing is posted yet."
		return
	}
	client, names, err := a.clientOf(o, s.ledger)
	if err == nil {
		defer client.Close()
		for _, z := range list {
			var p report.Picture
			if p, err = picture(ctx, client, names, s, z); err != nil {
				break
			}
			r.Pictures = append(r.Pictures, p)
		}
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
		r.PicturesNote = "BOSS could not be asked: " + noPasswords(human.Message(err.Error()))
	}
}

// shown are n slices, BOSS coordinates, from the first to the last that is posted;
// not missing ones, where there is another choice.
func (s *status) shown(n int) []int {
	lost := make(map[int]bool)
	for _, l := range s.missing {
		lost[l.Z+s.last.Origin.Z] = true
	}
	var posted, whole []int
	for _, run := range s.z {
		if run.posted == 0 {
			continue
		}
		for z := run.z.Min; z < run.z.Max; z++ {
			posted = append(posted, z)
			if !lost[z] {
				whole = append(whole, z)
			}
		}
	}
	if len(whole) > 0 {
		return spread(whole, n)
	}
	return spread(posted, n)
}

// spread gives n of a list, or all: the first, the last and some between, or if one
// is wanted the middle.
func spread(list []int, n int) (some []int) {
	switch {
	case n >= len(list):
		return list
	case n == 1:
		return list[len(list)/2 : len(list)/2+1]
	}
	for i := range n {
		some = append(some, list[i*(len(list)-1)/(n-1)])
	}
	return some
}

// clientOf finds the BOSS that the channel is in.
func (a *app) clientOf(o *reportOptions, l *ledger) (*boss.Client, []string, error) {
	names := strings.Split(l.channel(), "/")
	if len(names) != 3 {
		return nil, nil, errors.New("the journal does not say of which channel it is")
	}
	client, err := a.briefClient(&bossFlags{
		config:       cmp.Or(o.boss.config, l.last.Flags["boss-config-file"]),
		insecureHTTP: o.boss.insecureHTTP || l.last.Flags["insecure-http"] == "true",
	})
	if err != nil {
		return nil, nil, err
	}
	if was := l.last.Job["boss"]; was != client.URL() {
		client.Close()
		return nil, nil, fmt.Errorf("the channel is at %s, and the access is to %s", was, client.URL())
	}
	return client, names, nil
}

// picture reads slice z back.
func picture(ctx context.Context, client *boss.Client, names []string, s *status, z int) (report.Picture, error) {
	res, _ := strconv.Atoi(s.last.Job["resolution"])
	v := view{box: s.bounds().WithZ(voxel.Range{Min: z, Max: z + 1}), res: res, what: "all of it"}
	ch, err := client.Channel(names[0], names[1], names[2], res, s.last.Type)
	if err != nil {
		return report.Picture{}, err
	}
	if v.bytes(s.last.Type) > thumbnailBytes {
		state, err := ch.Downsample(ctx)
		if err != nil {
			return report.Picture{}, err
		}
		v = v.reduced(s.last.Type, state)
		if ch, err = client.Channel(names[0], names[1], names[2], v.res, s.last.Type); err != nil {
			return report.Picture{}, err
		}
	}
	labels := s.last.Type == voxel.Uint64
	look, err := preview.Look(ctx, slab{ch, v.box}, v.box.Min.Z, preview.Options{Side: thumbnailSide, Labels: labels})
	if err == nil {
		err = look.Err
	}
	if err != nil {
		return report.Picture{}, err
	}
	p := report.Picture{Title: fmt.Sprintf("z %d", z), Note: v.what, Image: look.Picture, Labels: labels}
	if o := s.last.Origin.Z; o != 0 {
		p.Title += fmt.Sprintf(" (slice %d)", z-o)
	}
	if look.To != 255 && !labels {
		p.Note += fmt.Sprintf("; %d is black, %d white", look.From, look.To)
	}
	return p, nil
}

// A view is a part of a slice, at a resolution.
type view struct {
	box  voxel.Box
	res  int
	what string // for people
}

func (v view) bytes(t voxel.Type) int64 { return v.box.Voxels() * int64(t.Size()) }

// reduced is the best view of a slice that is too large: all of it at a lower
// resolution, if BOSS has one that is small enough, or else its middle.
func (v view) reduced(t voxel.Type, d boss.Downsample) view {
	if d.Status == "DOWNSAMPLED" {
		full := d.VoxelSize[strconv.Itoa(v.res)]
		for res := v.res + 1; res < d.Levels; res++ {
			size, ok := d.VoxelSize[strconv.Itoa(res)]
			if !ok {
				break
			}
			small := view{box: voxel.NewBox(
				scaled(v.box.X(), full[0], size[0]), scaled(v.box.Y(), full[1], size[1]), scaled(v.box.Z(), full[2], size[2]),
			), res: res, what: fmt.Sprintf("all of it, at resolution %d", res)}
			if small.bytes(t) <= thumbnailBytes {
				return small
			}
		}
	}
	side := int(math.Sqrt(thumbnailBytes / float64(t.Size())))
	// Where it is low, it can be wider, and the other way round.
	y := middle(v.box.Y(), side)
	x := middle(v.box.X(), thumbnailBytes/t.Size()/y.Len())
	y = middle(v.box.Y(), thumbnailBytes/t.Size()/x.Len())
	return view{box: voxel.NewBox(x, y, v.box.Z()), res: v.res, what: fmt.Sprintf("the middle only: x %v, y %v", x, y)}
}

// scaled is r where voxels are of another size; not empty.
func scaled(r voxel.Range, from, to float64) voxel.Range {
	f := 1.0
	if from > 0 && to > 0 {
		f = from / to
	}
	lo := int(float64(r.Min) * f)
	return voxel.Range{Min: lo, Max: max(lo+1, int(float64(r.Max)*f))}
}

// middle is the middle of r, of that length at most.
func middle(r voxel.Range, length int) voxel.Range {
	if r.Len() <= length {
		return r
	}
	lo := r.Min + (r.Len()-length)/2
	return voxel.Range{Min: lo, Max: lo + length}
}

// A slab is a part of a channel of BOSS as a source of slices.
type slab struct {
	ch  *boss.Channel
	box voxel.Box
}

// Open makes the slab a slice: BOSS coordinates are looked at in ReadRows.
func (s slab) Open(_ context.Context, z int) (source.Slice, error) {
	s.box = s.box.WithZ(voxel.Range{Min: z, Max: z + 1})
	return s, nil
}

func (s slab) Size() (width, height int) { return s.box.X().Len(), s.box.Y().Len() }
func (s slab) Type() voxel.Type          { return s.ch.Type() }
func (s slab) Step() int                 { return 0 }
func (s slab) Held() int64               { return 0 }
func (s slab) Close() error              { return nil }

func (s slab) ReadRows(ctx context.Context, dst *voxel.Block) error {
	at := dst.Box.WithZ(voxel.Range{Max: 1}).Add(s.box.Min)
	got := &voxel.Block{Box: at, Data: dst.Data}
	if err := s.ch.GetInto(ctx, got); err != nil {
		return err
	}
	dst.Data = got.Data
	return nil
}
