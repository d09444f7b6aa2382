package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/slack"
)

type ingestOptions struct {
	jobFlags
	boss   bossFlags
	slack  slackFlags
	create bool
	verify string
	logDir string
}

// bind binds the flags; workers is the name of the one that says how many
// cuboids are on their way.
func (o *ingestOptions) bind(flags *pflag.FlagSet, workers string) {
	o.jobFlags.bind(flags)
	flags.BoolVar(&o.create, "create-resources", false, "create what is missing in BOSS, and end: nothing is posted")
	o.boss.bind(flags, &o.problems, workers)
	o.verify = "sample"
	flags.Var(&value{name: "verify", kind: "how", text: o.verify, parse: parseOneOf(&o.verify, "none", "sample", "full"), problems: &o.problems},
		"verify", "what is read back and compared at the end: none, sample (three slices) or full")
	flags.StringVar(&o.logDir, "log-dir", ".", "directory of the log file")
	o.slack.bind(flags)
}

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
compares what BOSS has with what the flags say and, if they agree, posts.
Ranges are half-open: 0:1000 is 0 to 999. Flags may also be spelled as the
Python tool did: --x_extent 0 1000.

` + exitHelp,
		Example: ingestExample,
		Args:    cobra.NoArgs,
		RunE:    a.run(func(ctx context.Context) error { return a.runIngest(ctx, o) }),
	}
	o.bind(cmd.Flags(), "workers")
	return cmd
}

func (a *app) runIngest(ctx context.Context, o *ingestOptions) error {
	o.spec.Create = o.create
	tell := sync.OnceValue(func() *slack.Client { return a.slackOrNobody(&o.slack) })
	return a.eachChannel(ctx, &o.jobFlags, &o.boss, func(j *job.Job, client *boss.Client) (outcome, error) {
		return a.ingestChannel(ctx, o, j, client, tell())
	})
}

// eachChannel judges the flags, finds BOSS, and does the work of one channel
// after the other. An error ends it; slices and cuboids that are missing do not.
func (a *app) eachChannel(ctx context.Context, f *jobFlags, b *bossFlags, do func(*job.Job, *boss.Client) (outcome, error)) error {
	jobs, err := f.jobs(ctx, &a.retries)
	if err != nil {
		return err
	}
	for _, w := range f.warnings() {
		a.warn("%s", w)
	}
	client, err := a.client(ctx, b, jobs[0].Collection)
	if err != nil {
		return err
	}
	defer client.Close()
	var all outcome
	for _, j := range jobs {
		out, err := do(j, client)
		if err != nil {
			return err
		}
		all.add(out)
	}
	return all.err()
}

// warn tells a person of a worry that stops nothing.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "ndpush: warning: "+format+"\n", args...)
}

func (o *ingestOptions) task() string {
	if o.create {
		return "create resources"
	}
	return "ingest"
}

// describe gives the flags that were set, for the log. None of them is a secret.
func describe(flags *pflag.FlagSet) string {
	var words []string
	flags.Visit(func(f *pflag.Flag) { words = append(words, "--"+f.Name+"="+f.Value.String()) })
	return strings.Join(words, " ")
}
