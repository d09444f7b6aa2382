package provision

import (
	"context"
	"fmt"
	"slices"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
)

// The kinds of things a job needs.
const (
	kindCollection = "collection"
	kindFrame      = "coordinate frame"
	kindExperiment = "experiment"
	kindOffsets    = "offsets"
	kindSource     = "source channel"
	kindChannel    = "channel"
)

// offsetsKey is where the shift of the data is recorded, with the experiment.
const offsetsKey = "offsets"

// A state is what BOSS has of what a job needs; nil is what it lacks.
type state struct {
	collection *boss.Collection
	frame      *boss.Frame
	experiment *boss.Experiment
	offsets    *string
	source     *boss.ChannelInfo // looked for only if the channel is missing
	channel    *boss.ChannelInfo

	deleted []Disagreement
}

// look asks BOSS for all that j needs. After an error the state is what was
// found before it.
func look(ctx context.Context, c *boss.Client, j *job.Job) (*state, error) {
	s := new(state)
	for _, step := range []func(context.Context, *boss.Client, *job.Job) error{
		s.lookCollection, s.lookExperiment, s.lookFrame, s.lookChannel,
	} {
		if err := step(ctx, c, j); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *state) lookCollection(ctx context.Context, c *boss.Client, j *job.Job) error {
	v, err := c.Collection(ctx, j.Collection)
	return keep(s, &s.collection, v, err, kindCollection, j.Collection)
}

func (s *state) lookExperiment(ctx context.Context, c *boss.Client, j *job.Job) error {
	if s.collection == nil {
		return nil
	}
	v, err := c.Experiment(ctx, j.Collection, j.Experiment)
	if err := keep(s, &s.experiment, v, err, kindExperiment, experimentName(j)); err != nil || s.experiment == nil {
		return err
	}
	value, ok, err := c.Meta(ctx, offsetsKey, j.Collection, j.Experiment)
	if ok {
		s.offsets = &value
	}
	return err
}

// lookFrame looks at the experiment's own frame, whatever its name.
func (s *state) lookFrame(ctx context.Context, c *boss.Client, j *job.Job) error {
	v, err := c.Frame(ctx, s.frameName(j))
	return keep(s, &s.frame, v, err, kindFrame, s.frameName(j))
}

func (s *state) lookChannel(ctx context.Context, c *boss.Client, j *job.Job) error {
	if s.experiment == nil {
		return nil
	}
	v, err := c.ChannelInfo(ctx, j.Collection, j.Experiment, j.Channel)
	if err := keep(s, &s.channel, v, err, kindChannel, j.Path()); err != nil {
		return err
	}
	if s.channel != nil || j.SourceChannel == "" {
		return nil
	}
	v, err = c.ChannelInfo(ctx, j.Collection, j.Experiment, j.SourceChannel)
	return keep(s, &s.source, v, err, kindSource, sourceName(j))
}

// keep puts what was found at place; nothing, if BOSS says that it has none.
func keep[T any](s *state, place **T, v T, err error, kind, name string) error {
	switch {
	case err == nil:
		*place = &v
		return nil
	case boss.IsMissing(err):
		return nil
	case boss.IsDeleted(err):
		s.deleted = append(s.deleted, Disagreement{
			What: kind + " " + name, Found: "marked as deleted", Want: "free to be used",
			Do: "choose another name, or ask the operators of BOSS to remove it for good",
		})
		return nil
	}
	return fmt.Errorf("look for %s %s: %w", kind, name, err)
}

func (s *state) frameName(j *job.Job) string {
	if s.experiment != nil {
		return s.experiment.Frame
	}
	return j.FrameName()
}

func experimentName(j *job.Job) string { return j.Collection + "/" + j.Experiment }

func sourceName(j *job.Job) string { return experimentName(j) + "/" + j.SourceChannel }

// complete reports whether nothing is missing.
func (s *state) complete(j *job.Job) bool { return len(s.missing(j)) == 0 }

// missing are the kinds of what j needs and BOSS lacks.
func (s *state) missing(j *job.Job) []string {
	var kinds []string
	for _, need := range s.needs(j) {
		if !need.there {
			kinds = append(kinds, need.Kind)
		}
	}
	return kinds
}

// A need is a thing that a job needs.
type need struct {
	Item
	there bool
}

// needs lists them in the order in which they can be created.
func (s *state) needs(j *job.Job) []need {
	n := []need{
		{Item{Kind: kindCollection, Name: j.Collection}, s.collection != nil},
		{Item{Kind: kindFrame, Name: s.frameName(j)}, s.frame != nil},
		{Item{Kind: kindExperiment, Name: experimentName(j)}, s.experiment != nil},
	}
	if needsOffsets(j) {
		text := offsetsText(j.Offset())
		if s.offsets != nil {
			text = *s.offsets
		}
		n = append(n, need{Item{Kind: kindOffsets, Name: text}, s.offsets != nil})
	}
	if j.SourceChannel != "" && s.channel == nil {
		n = append(n, need{Item{Kind: kindSource, Name: sourceName(j)}, s.source != nil})
	}
	return append(n, need{Item{Kind: kindChannel, Name: j.Path()}, s.channel != nil})
}

// report tells what is there, and of that, what this call made.
func (s *state) report(j *job.Job, made made) *Report {
	r := new(Report)
	for _, n := range s.needs(j) {
		n.Created = made[n.Kind]
		if !n.there && !n.Created {
			continue
		}
		n.Detail = s.detail(n.Kind)
		r.Items = append(r.Items, n.Item)
	}
	// The source of a channel that is there is not needed any more, but may have
	// been made by this call.
	if made[kindSource] && !slices.ContainsFunc(r.Items, func(i Item) bool { return i.Kind == kindSource }) {
		at := max(0, len(r.Items)-1)
		r.Items = slices.Insert(r.Items, at, Item{Kind: kindSource, Name: sourceName(j), Created: true, Detail: "empty"})
	}
	return r
}

// detail says what a thing is that was found.
func (s *state) detail(kind string) string {
	switch {
	case kind == kindFrame && s.frame != nil:
		return fmt.Sprintf("%v of %s", s.frame.Extent, voxelText(s.frame.VoxelSize, s.frame.VoxelUnit))
	case kind == kindExperiment && s.experiment != nil:
		return fmt.Sprintf("%s, %d levels", s.experiment.Method, s.experiment.Levels)
	case kind == kindChannel && s.channel != nil:
		return fmt.Sprintf("%s of %s, base resolution %d", s.channel.Type, s.channel.Datatype, s.channel.BaseResolution)
	}
	return ""
}
