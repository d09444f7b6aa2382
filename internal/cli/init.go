package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/discover"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/script"
	"github.com/neurodata/ndpush/internal/voxel"
)

type initOptions struct {
	jobFlags
	boss    bossFlags
	pattern string
	out     string
	force   bool
}

// foundByInit are flags that say where a stack is, which is what init finds out.
var foundByInit = []string{"datasource", "base-path", "base-filename", "extension", "z-step", "s3-bucket-name", "channels-list-file",
	"render-baseurl", "render-owner", "render-project", "render-stack", "shard", "shards"}

func (a *app) newInitCmd() *cobra.Command {
	o := new(initOptions)
	var place string
	cmd := &cobra.Command{
		Use:   "init PLACE [flags]",
		Short: "Look at a stack and write the job file for it",
		Long: `Init looks at what there is and writes a job file, which all other commands take:
how the slices are called, where they lie, what they are, how large a voxel is if
the files say so, and a coordinate frame. What nobody can know but you is asked,
on a terminal; else it is a ? in the file, and --collection and so on say it.

PLACE is a directory, s3://BUCKET/PREFIX, or the address of a stack of a render
web service, http://HOST/render-ws/v1/owner/OWNER/project/PROJECT/stack/STACK.
Names decide which files are slices, and a few of them are opened; "ndpush check"
opens all. If there are several stacks, the one with the most slices is taken and
the others are named: --pattern chooses.

Flags that are given go into the file in place of what was found.

Exit status:
  0    the file was written
  1    there is no stack, or it cannot be read
  2    wrong usage
  130  interrupted`,
		Example: `  ndpush init em --collection lab --experiment fly --channel em --voxel-size 4:4:40 -o fly.ini`,
		Args:    cobra.ExactArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		place = args[0]
		return a.run(func(ctx context.Context) error { return a.runInit(ctx, o, place) })(cmd, args)
	}
	flags := cmd.Flags()
	o.jobFlags.bind(flags)
	o.boss.bind(flags, &o.problems, "workers")
	for _, name := range foundByInit {
		flags.MarkHidden(name)
	}
	flags.StringVarP(&o.out, "out", "o", "", "the job file to write; - is standard output (default: called as the place, in the working directory)")
	flags.BoolVar(&o.force, "force", false, "write over a file that is there")
	flags.StringVar(&o.pattern, "pattern", "", "the files to take, if there are several stacks, as in 'em_<p:4>'")
	return cmd
}

func (a *app) runInit(ctx context.Context, o *initOptions, place string) error {
	if err := o.judge(); err != nil {
		return usage(err)
	}
	if err := o.locate(place); err != nil {
		return usage(err)
	}
	look := a.lookAtFiles
	if o.datasource == "render" {
		look = a.lookAtStack
	}
	s, err := look(ctx, o)
	if err != nil {
		return err
	}
	out := cmp.Or(o.out, s.name+".ini")
	there, err := os.Stat(out)
	switch {
	case err != nil || out == "-": // it is to be made, or is none
	case there.IsDir():
		return usage(fmt.Errorf("%s is a directory: -o names the file to write", out))
	case !o.force:
		return usage(fmt.Errorf("%s is there already: --force writes over it, -o names another file", out))
	}
	for _, line := range s.summary {
		fmt.Fprintln(a.Stderr, line)
	}
	if err := a.ask(ctx, o, s); err != nil {
		return err
	}
	text, err := o.write(s, out)
	if err != nil {
		return err
	}
	return a.deliver(o, text, out)
}

// judge looks at the flags.
func (o *initOptions) judge() error {
	p := append(problems(nil), o.problems...)
	for _, name := range foundByInit {
		if o.flags.Changed(name) {
			p.add("--%s: init finds that out, and writes it", name)
		}
	}
	for _, n := range []struct{ what, name string }{{"collection", o.spec.Collection}, {"experiment", o.spec.Experiment}, {"channel", o.spec.Channel}} {
		if n.name != "" {
			p.addAll(job.CheckName(n.what, n.name))
		}
	}
	return errors.Join(p...)
}

// renderAddress is that of a stack, as the service itself spells it, or without
// the words between the names.
var renderAddress = regexp.MustCompile(`^(https?://[^?#]*?/(?:render-ws/v1|render-ws|v1)/)(?:owner/)?([^/?#]+)/(?:project/)?([^/?#]+)/(?:stack/)?([^/?#]+)/?$`)

// locate sets the flags that say where a stack is.
func (o *initOptions) locate(place string) error {
	o.datasource = "local"
	switch address := renderAddress.FindStringSubmatch(place); {
	case address != nil:
		o.datasource = "render"
		o.render.BaseURL = address[1]
		for i, name := range []*string{&o.render.Owner, &o.render.Project, &o.render.Stack} {
			var err error
			if *name, err = url.PathUnescape(address[2+i]); err != nil {
				return fmt.Errorf("%s: %w", place, err)
			}
		}
	case strings.HasPrefix(place, "http://"), strings.HasPrefix(place, "https://"):
		return fmt.Errorf("%s: the address of a render stack is http://HOST/render-ws/v1/owner/OWNER/project/PROJECT/stack/STACK", place)
	case strings.HasPrefix(place, "s3://"):
		o.datasource = "s3"
		o.s3.Bucket, o.s3.Prefix, _ = strings.Cut(strings.TrimPrefix(place, "s3://"), "/")
		o.s3.Prefix = strings.TrimSuffix(o.s3.Prefix, "/")
		o.naming.BasePath = o.s3.Prefix
	default:
		path, err := filepath.Abs(place)
		if err != nil {
			return err
		}
		o.naming.BasePath = path
	}
	return nil
}

// A sighting is what init found, and what the job is made of.
type sighting struct {
	name    string   // of the place, as a file may be called
	parents []string // the names of what the place lies in, for names in BOSS
	summary []string // for a person, at once

	series *discover.Series // nil: a render stack
	heads  *discover.Heads
	files  []string // comments about files
	kind   []string // about their pixels
	box    voxel.Box
	typ    voxel.Type // 0: not known
	size   discover.VoxelSize
	gaps   []voxel.Range
	input  input // what reading takes, without the source
}

// deliver writes the job file, and says what to do next.
func (a *app) deliver(o *initOptions, text, out string) error {
	if out == "-" {
		_, err := fmt.Fprint(a.Stdout, text)
		return err
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if o.force {
		mode = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	f, err := os.OpenFile(out, mode, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: --force writes over it, -o names another file", out)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "%s is written\n", out)
	lines, err := readJobFile(out)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if isUnknown(l.value) {
			fmt.Fprintf(a.Stdout, "%s:%d: %s = %s: put what is right in place of the ?\n", out, l.n, l.key, l.value)
		}
	}
	for _, next := range []struct{ command, why string }{
		{"preview", "see slices as they will be in BOSS"},
		{"check", "look at all that can fail"},
		{"ingest", "create what BOSS lacks, push, verify"},
	} {
		fmt.Fprintf(a.Stdout, "  %-40s %s\n", script.Command([]string{"ndpush", next.command, "--job", out}), next.why)
	}
	return nil
}
