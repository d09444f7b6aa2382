package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/provision"
)

// checkAccess finds BOSS, and whether it takes the token. What the token's user
// may write is known only by writing.
func (c *checkup) checkAccess(ctx context.Context) {
	s := c.server
	if once(&s.asked) {
		s.client = c.findBOSS(ctx)
	}
	c.client = s.client
}

// findBOSS gives a client that BOSS answers, or nil.
func (c *checkup) findBOSS(ctx context.Context) *boss.Client {
	const what = "access"
	f := &c.options.boss
	access, err := boss.FindAccess(f.config, c.Getenv, c.Home)
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, "get a token at https://api.bossdb.io/v1/mgmt/token and put it into neurodata.cfg, see neurodata.cfg.example")
	}
	if err != nil {
		c.tellErr(resultFail, what, err)
		return nil
	}
	if access.Warning != "" {
		c.worry(what, "%s", access.Warning)
	}
	if access.Protocol == "http" && f.insecureHTTP {
		c.worry(what, "the token crosses the network in plain text: the protocol is http")
	}
	opts := boss.Options{Version: version(), Workers: f.workers, InsecureHTTP: f.insecureHTTP, OnRetry: c.retries.boss, Compression: f.compression}
	opts.Retry.Attempts = firstAttempts
	first, err := boss.New(access, opts)
	if err != nil {
		c.tellErr(resultFail, what, err)
		return nil
	}
	defer first.Close()
	if err := first.CheckToken(ctx, c.job.Collection); err != nil {
		c.tellErr(resultFail, what, explainAccess(err, access))
		return nil
	}
	opts.Retry.Attempts = 0
	client, err := boss.New(access, opts)
	if err != nil {
		c.tellErr(resultFail, what, err)
		return nil
	}
	c.ok(what, "%s takes the token found in %s; what its user may write shows only in writing (--canary)", client.URL(), access.From)
	return client
}

// unasked says that a check needs BOSS, if that cannot be asked.
func (c *checkup) unasked(what string) bool {
	if c.client == nil {
		c.worry(what, "not looked at: BOSS cannot be asked")
	}
	return c.client == nil
}

// checkResources compares what BOSS has with the job.
func (c *checkup) checkResources(ctx context.Context) {
	const what = "resources"
	if c.unasked(what) {
		return
	}
	found, err := provision.Check(ctx, c.client, c.job)
	differ, ok := errors.AsType[*provision.Error](err)
	if err != nil && !ok {
		c.tellErr(resultFail, what, err)
		return
	}
	if len(found.Items) > 0 {
		var words []string
		for _, item := range found.Items {
			words = append(words, strings.TrimPrefix(item.String(), "found "))
		}
		c.ok(what, "found %s", strings.Join(words, ", "))
	}
	if err == nil {
		c.findChannel(ctx)
		return
	}
	for _, d := range differ.Disagreements {
		switch {
		case !d.Missing:
			c.fail(what, "%v", d)
		case c.options.creates():
			c.ok(what, "%s does not exist: the ingest makes it, if the token's user has that role", d.What)
		default:
			c.worry(what, "%s does not exist: the same command with --create-resources makes it, if the token's user has that role", d.What)
		}
	}
}

// findChannel gets hold of a channel that is there and agrees with the job.
func (c *checkup) findChannel(ctx context.Context) {
	const what = "resources"
	j := c.job
	info, err := c.client.ChannelInfo(ctx, j.Collection, j.Experiment, j.Channel)
	if err != nil {
		c.tellErr(resultFail, what, err)
		return
	}
	if c.channel, err = c.client.Channel(j.Collection, j.Experiment, j.Channel, j.Res, j.ChannelType()); err != nil {
		c.tellErr(resultFail, what, err)
		return
	}
	switch status := info.DownsampleStatus; status {
	case "DOWNSAMPLED":
		c.worry(what, "the channel is downsampled: with the first post its lower resolutions no longer count, and it has to be downsampled again")
	case "QUEUED", "IN_PROGRESS":
		c.worry(what, "the channel is being downsampled (%s): what is posted meanwhile may be in no lower resolution", status)
	case "FAILED":
		c.worry(what, "BOSS could not downsample the channel the last time")
	}
}

// checkHeld looks whether the channel holds data that no journal knows of.
func (c *checkup) checkHeld(ctx context.Context) {
	const what = "data"
	if c.unasked(what) || c.channel == nil || c.road == nil {
		return
	}
	c.readJournal()
	if c.state != nil {
		for range c.state.Entries() {
			return // it holds what the journal says
		}
	}
	box, err := occupied(ctx, c.channel, c.road.Plan)
	switch {
	case err != nil:
		c.tellErr(resultFail, what, err)
	case !box.Empty() && !c.options.replace:
		c.worry(what, "the channel holds data already, at %v for one: it shows through where the images are black; --replace erases it first", box)
	case !box.Empty():
		c.ok(what, "the channel holds data already, at %v for one, and --replace erases it first", box)
	default:
		c.ok(what, "the channel holds nothing at the %d places that were looked at", min(looks, c.road.Plan.CountCuboids()))
	}
}

// checkQuota compares what all channels are to take with what BOSS still gives, if
// it says so.
func (c *checkup) checkQuota(ctx context.Context) {
	const what = "quota"
	if !once(&c.server.quota) || c.unasked(what) {
		return
	}
	var planned int64
	for _, j := range c.server.jobs {
		planned += j.Data().Voxels() * int64(j.ChannelType().Size())
	}
	list, err := c.client.Usage(ctx)
	if err != nil {
		c.ok(what, "not known: BOSS does not show it to programs; at most %s are to be posted", human.Size(planned))
		return
	}
	known := false
	for _, u := range list {
		if u.Type == "ingress" && u.Units == "byte_count" && u.Limit > 0 {
			known = true
			c.judgeQuota(u, planned)
		}
	}
	if !known {
		c.ok(what, "none that bounds what is posted")
	}
}

// judgeQuota compares what is to be posted with one quota. BOSS takes data until
// more than the limit was posted.
func (c *checkup) judgeQuota(u boss.Usage, planned int64) {
	const what = "quota"
	said := fmt.Sprintf("%s of %s are used since %s (%s)", human.Size(u.Value), human.Size(u.Limit), u.Since, u.Metric)
	switch {
	case u.Value > u.Limit:
		c.refused++
		c.fail(what, "%s: BOSS takes no more", said)
	case planned > u.Limit-u.Value:
		c.worry(what, "%s, and %s are to be posted: the ingest will be stopped on the way, and can go on when the quota is renewed", said, human.Size(planned))
	default:
		c.ok(what, "%s, and %s are to be posted", said, human.Size(planned))
	}
}

// skewed is how far a clock may be off. S3 refuses what was signed 15 minutes
// ago (RequestTimeTooSkewed), and clocks that are off by minutes drift on.
const skewed = 5 * time.Minute

// checkClock compares our clock with BOSS's.
func (c *checkup) checkClock(ctx context.Context) {
	const what = "clock"
	if !once(&c.server.clock) || c.unasked(what) {
		return
	}
	at, err := c.client.Clock(ctx)
	if err != nil {
		c.ok(what, "not known: %v", err)
		return
	}
	off := c.Now().Sub(at).Round(time.Second)
	switch {
	case off > skewed:
		c.worry(what, "this machine is %v ahead of BOSS: S3 refuses signatures that are 15 minutes off, and the times in the log are wrong", off)
	case off < -skewed:
		c.worry(what, "this machine is %v behind BOSS: S3 refuses signatures that are 15 minutes off, and the times in the log are wrong", -off)
	default:
		c.ok(what, "within %d minutes of BOSS's", skewed/time.Minute)
	}
}
