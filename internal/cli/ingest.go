package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
)

type ingestOptions struct {
	jobFlags
	boss   bossFlags
	slack  slackFlags
	create bool // what is missing, and end
	ensure bool // create what is missing, and go on
	verify string
	logDir string
	report string // auto or none

	fresh, moved, replace, recordMissing, down bool

	only boxSet // if not nil, cuboids that have none of these voxels are left alone

	ofIngest map[string]bool // the flags of ingest, by name
	aboutJob map[string]bool // those by which an ingest can be repeated

	dryRun bool
	watch  watchFlags
}

// bind binds the flags; workers is the name of the one that says how many
// cuboids are on their way.
func (o *ingestOptions) bind(flags *pflag.FlagSet, workers string) {
	o.jobFlags.bind(flags)
	flags.BoolVar(&o.create, "create-resources", false, "create what is missing in BOSS, and end: nothing is posted")
	o.boss.bind(flags, &o.problems, workers)
	flags.BoolVar(&o.down, "downsample", false, "when all of the channel is posted, by all shares, ask BOSS to compute its lower resolutions")
	o.aboutJob = make(map[string]bool)
	flags.VisitAll(func(f *pflag.Flag) { o.aboutJob[f.Name] = f.Name != "create-resources" })
	o.verify = "sample"
	flags.Var(&value{name: "verify", kind: "how", text: o.verify, parse: parseOneOf(&o.verify, "none", "sample", "full"), problems: &o.problems},
		"verify", "what is read back and compared at the end: none, sample (three slices) or full")
	flags.StringVar(&o.logDir, "log-dir", ".", "directory of the log file and the journal")
	o.report = "auto"
	flags.Var(&value{name: "report", kind: "how", text: o.report, parse: parseOneOf(&o.report, "auto", "none"), problems: &o.problems},
		"report", "auto writes a page about the ingest beside the log when it ends, unless it does a share only; none does not: see ndpush help reports")
	flags.BoolVar(&o.fresh, "fresh", false, "begin anew, whatever the journal says is done")
	flags.BoolVar(&o.moved, "moved", false, "go on with the journal although the images are in another place than before")
	flags.BoolVar(&o.replace, "replace", false, "for corrected images, or a channel that held others: read all again, and erase each cuboid in BOSS before it is posted")
	flags.BoolVar(&o.recordMissing, "record-missing", false, "list the missing slices in the experiment's metadata, under missing_slices_CHANNEL")
	o.slack.bind(flags)
	o.ofIngest = make(map[string]bool)
	flags.VisitAll(func(f *pflag.Flag) { o.ofIngest[f.Name] = true })
}

// bindEnsure binds the flag of the commands that may create resources and go on.
func (o *ingestOptions) bindEnsure(flags *pflag.FlagSet) {
	flags.BoolVar(&o.ensure, "ensure-resources", false, "create what is missing in BOSS, and go on: the images are posted")
}

// creates reports whether what is missing is created.
func (o *ingestOptions) creates() bool { return o.create || o.ensure }

const ingestExample = `  # once: create collection, coordinate frame, experiment and channel
  ndpush ingest --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 --voxel-size 4:4:40 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20 --create-resources
  # then: post
  ndpush ingest --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20`

func (a *app) newIngestCmd() *cobra.Command {
	o := new(ingestOptions)
	cmd := &cobra.Command{
		Use:   "ingest [flags]",
		Short: "Push a stack of images into BOSS",
		Long: `Ingest reads a stack of images, cuts it into cuboids and posts them to BOSS.

With --create-resources it creates what BOSS lacks, and ends. Without, it
compares what BOSS has with what the flags say and, if they agree, posts; with
--ensure-resources it creates first what BOSS lacks.
Ranges are half-open: 0:1000 is 0 to 999. Flags may also be spelled as the
Python tool did: --x_extent 0 1000.

` + exitHelp,
		Example: ingestExample,
		Args:    cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error {
			return a.watched(ctx, o.watch, func(ctx context.Context) error {
				if o.dryRun {
					return a.runCheck(ctx, &checkOptions{ingestOptions: o})
				}
				return a.runIngest(ctx, o)
			})
		}),
	}
	o.bind(cmd.Flags(), "workers")
	o.bindEnsure(cmd.Flags())
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "look at all that can fail and print the plan, as ndpush check does, and post nothing")
	o.watch.bind(cmd.Flags())
	o.bindJobFile(cmd, nil)
	a.completeNames(cmd, &o.jobFlags, &o.boss)
	return cmd
}

func (a *app) runIngest(ctx context.Context, o *ingestOptions) error {
	o.spec.Create = o.creates()
	jobs, client, err := a.begin(ctx, &o.jobFlags, &o.boss)
	if err != nil || jobs == nil {
		return err
	}
	defer client.Close()
	return a.ingest(ctx, o, jobs, client)
}

// ingest looks at all channels before the first byte of any is posted, and then
// carries one after the other. An error ends it; slices and cuboids that are
// missing do not.
func (a *app) ingest(ctx context.Context, o *ingestOptions, jobs []*job.Job, client *boss.Client) error {
	tell := a.slackOrNobody(&o.slack)
	var channels []*channelIngest
	for _, j := range jobs {
		c, err := a.newChannelIngest(o, j, client, tell)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.do(ctx, c.prepare); err != nil {
			return err
		}
		channels = append(channels, c)
	}
	if o.create {
		return nil
	}
	var all outcome
	for _, c := range channels {
		err := c.do(ctx, c.carry)
		if err == nil {
			err = c.end(ctx, nil)
		}
		c.writePage(ctx)
		if err != nil {
			return err
		}
		if o.down && c.outcome.differ == 0 {
			if err := c.do(ctx, c.downsample); err != nil {
				return err
			}
		}
		all.add(c.outcome)
	}
	return all.err()
}

// begin is jobs, and finds BOSS.
func (a *app) begin(ctx context.Context, f *jobFlags, b *bossFlags) ([]*job.Job, *boss.Client, error) {
	jobs, err := a.jobs(ctx, f)
	if err != nil || jobs == nil {
		return nil, nil, err
	}
	client, err := a.client(ctx, b, jobs[0].Collection)
	return jobs, client, err
}

// jobs judges the flags and gives the jobs, one for each channel. There are none,
// and no error, if this process's share has no slices.
func (a *app) jobs(ctx context.Context, f *jobFlags) ([]*job.Job, error) {
	share, serr := f.share(a.Getenv)
	jobs, err := f.jobs(ctx, &a.retries)
	if err = errors.Join(usage(serr), err); err != nil {
		return nil, err
	}
	if jobs, err = share.of(jobs); err != nil {
		return nil, err
	}
	if jobs == nil {
		fmt.Fprintf(a.Stdout, "share %v has no slices: nothing to do\n", share)
		return nil, nil
	}
	f.part = share.part()
	for _, w := range f.warnings() {
		a.warn("%s", w)
	}
	return jobs, nil
}

// warn tells a person of a worry that stops nothing.
func (a *app) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(a.Stderr, "ndpush: warning: "+text)
	a.events.Warning(text)
}

func (o *ingestOptions) task() string {
	if o.create {
		return "create resources"
	}
	if o.only != nil {
		return "retry"
	}
	return "ingest"
}

// describe gives the flags that were set, for the log. None of them is a secret.
func describe(flags *pflag.FlagSet) string {
	var words []string
	flags.Visit(func(f *pflag.Flag) { words = append(words, "--"+f.Name+"="+f.Value.String()) })
	return strings.Join(words, " ")
}
