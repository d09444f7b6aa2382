package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// downsample asks BOSS for the lower resolutions of the channel, if the journals
// of all shares say that all is posted. The share that ends last finds it so.
func (c *channelIngest) downsample(ctx context.Context) error {
	j := c.job
	l, err := readLedger(journal.Dir(c.options.logDir, j.Collection, j.Experiment, j.Channel))
	if err != nil {
		return err
	}
	if n := newStatus(l).all.undone(); n > 0 {
		return c.say("%s: not downsampled yet: of all shares %s not done; the one that ends last asks BOSS", j.Path(), areLeft(n))
	}
	err = c.channel.StartDownsample(ctx)
	var refused *boss.Error
	switch {
	case err == nil:
		return c.say("%s: BOSS computes the lower resolutions now; ndpush status says how far it is", j.Path())
	case !errors.As(err, &refused) || refused.Status != http.StatusConflict:
		return withHint(fmt.Errorf("downsample %s: %w", j.Path(), err), "all is posted; the same command asks again")
	}
	// BOSS says no also to what it is doing, or has done, already.
	state, serr := c.channel.Downsample(ctx)
	if serr != nil || !slices.Contains([]string{"QUEUED", "IN_PROGRESS", "DOWNSAMPLED"}, state.Status) {
		return fmt.Errorf("downsample %s: %w", j.Path(), err)
	}
	return c.say("%s: BOSS was asked for the lower resolutions before: %s", j.Path(), state.Status)
}

func areLeft(n int64) string {
	if n == 1 {
		return "1 cuboid is"
	}
	return human.Count(n, "cuboid") + " are"
}

// say prints a result, and logs it.
func (c *channelIngest) say(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintln(c.Stdout, line); err != nil {
		return err
	}
	return c.log.Line("%s", line)
}

// stateTime is how long BOSS may take to say how far it is.
const stateTime = 10 * time.Second

// downsampling is how far BOSS is with the lower resolutions of an ingest with
// --downsample, or why that is not known; "" for other ingests.
func (a *app) downsampling(ctx context.Context, l *ledger) string {
	if l.last.Flags["downsample"] != "true" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, stateTime)
	defer cancel()
	state, err := a.askDownsample(ctx, l)
	if err != nil {
		return "not known: " + human.Line(err.Error())
	}
	return state.Status
}

func (a *app) askDownsample(ctx context.Context, l *ledger) (boss.Downsample, error) {
	names := strings.Split(l.channel(), "/")
	if len(names) != 3 {
		return boss.Downsample{}, fmt.Errorf("the journal does not say of which channel it is")
	}
	client, err := a.briefClient(&bossFlags{
		config:       l.last.Flags["boss-config-file"],
		insecureHTTP: l.last.Flags["insecure-http"] == "true",
	})
	if err != nil {
		return boss.Downsample{}, err
	}
	defer client.Close()
	if was := l.last.Job["boss"]; was != client.URL() {
		return boss.Downsample{}, fmt.Errorf("it is at %s, and the access is to %s", was, client.URL())
	}
	ch, err := client.Channel(names[0], names[1], names[2], 0, voxel.Uint8)
	if err != nil {
		return boss.Downsample{}, err
	}
	return ch.Downsample(ctx)
}

// briefClient is a client for one question, which may go unanswered.
func (a *app) briefClient(f *bossFlags) (*boss.Client, error) {
	access, err := boss.FindAccess(f.config, a.Getenv, a.Home)
	if err != nil {
		return nil, err
	}
	opts := boss.Options{Version: version(), InsecureHTTP: f.insecureHTTP}
	opts.Retry.Attempts = 1
	return boss.New(access, opts)
}
