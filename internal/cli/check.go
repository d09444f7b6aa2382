package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

type checkOptions struct {
	*ingestOptions
	canary bool
	json   bool
}

const checkExitHelp = `Exit status:
  0    nothing would keep the ingest from succeeding
  1    something would: the lines that begin with FAIL
  2    wrong usage
  3    slices are missing, and --missing says to go on without them: the ingest would end with 3
  5    BOSS refuses writes for now (--canary: quota, write lock)
  130  interrupted`

func (a *app) newCheckCmd() *cobra.Command {
	o := &checkOptions{ingestOptions: new(ingestOptions)}
	cmd := &cobra.Command{
		Use:   "check [flags]",
		Short: "Look at all that can fail before an ingest, and change nothing",
		Long: `Check takes the flags of the ingest and looks at everything that can fail before
the first byte is posted: every slice, their numbering, the access to BOSS, the
resources there, what the channel holds, quota, journal, disk, memory, clock and
open files. Each finding is a line that begins with ok, warn or FAIL. Then it
reads and compresses a little of the data and prints the plan, and how long the
ingest takes at least.

It changes nothing, but with --canary: then one cuboid of the images is posted
where BOSS holds only zeros, read back, erased and read back. That finds out what
no question does: a permission, a lock or a quota, and what a post takes.

` + checkExitHelp,
		Example: `  ndpush check --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20 --canary`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runCheck(ctx, o) }),
	}
	flags := cmd.Flags()
	o.bind(flags, "workers")
	o.bindEnsure(flags)
	flags.BoolVar(&o.canary, "canary", false, "also post one cuboid, read it back and erase it again")
	flags.BoolVar(&o.json, "json", false, "print an object a line, {channel, check, result, text}, and one with the numbers of the plan")
	o.bindJobFile(cmd, nil)
	a.completeNames(cmd, &o.jobFlags, &o.boss)
	return cmd
}

// runCheck looks at all channels, and at what they have in common once.
func (a *app) runCheck(ctx context.Context, o *checkOptions) error {
	o.spec.Create = o.creates()
	jobs, err := a.jobs(ctx, &o.jobFlags)
	if err != nil || jobs == nil {
		return err
	}
	report := &checkReport{w: a.Stdout, json: o.json, events: a.events}
	server := &checkServer{jobs: jobs}
	defer server.close()
	for _, j := range jobs {
		c := &checkup{
			channelIngest: &channelIngest{app: a, options: o.ingestOptions, job: j},
			checkReport:   report, server: server, wants: o,
		}
		report.begin(j.Path())
		if err := c.run(ctx); err != nil {
			return err
		}
	}
	return report.err()
}

// A checkup is the look at one channel.
type checkup struct {
	*channelIngest // road, input, channel and client as far as they are found
	*checkReport
	server *checkServer // what channels have in common
	wants  *checkOptions

	absent  []int          // slices that are not there, source coordinates
	state   *journal.State // nil: there is none, or it cannot be read
	unread  error          // why there is no state
	blocked bool           // another process is at work, or the journal cannot be gone on with
	tight   bool           // the memory does not suffice
	probed  *probe         // nil: nothing was measured
	posted  postTime       // zero: nothing was posted

	unmeasured error // why probed came to an end
}

// run makes all checks, whatever each of them finds. The error is ctx's, or one of
// writing the report.
func (c *checkup) run(ctx context.Context) error {
	for _, look := range []func(context.Context){
		c.checkSlices, c.checkNumbering,
		c.checkAccess, c.checkResources, c.checkHeld, c.checkQuota,
		c.checkJournal, c.checkDisk, c.checkMemory, c.checkClock, c.checkOpenFiles,
		c.measure, c.checkCanary, c.printPlan,
	} {
		look(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.werr != nil {
			return c.werr
		}
	}
	return nil
}

// inSource is the z of the slices that this run reads, source coordinates.
func (c *checkup) inSource() voxel.Range { return c.job.ToSource(c.job.Data()).Z() }

// A checkServer is BOSS, as far as it is one for all channels.
type checkServer struct {
	jobs   []*job.Job
	asked  bool
	client *boss.Client // nil: BOSS cannot be asked
	quota  bool         // was looked at, as was
	clock  bool
}

func (s *checkServer) close() {
	if s.client != nil {
		s.client.Close()
	}
}

// once reports whether *done was false, and makes it true.
func once(done *bool) bool {
	was := *done
	*done = true
	return !was
}
