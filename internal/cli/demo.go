package cli

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/script"
	"github.com/neurodata/ndpush/internal/voxel"
	"github.com/neurodata/ndpush/testdata"
)

type demoOptions struct {
	dir string
}

func (a *app) newDemoCmd() *cobra.Command {
	o := new(demoOptions)
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Show a whole ingest on this machine",
		Long: `Demo starts a small BOSS on this machine, pushes a stack of images into it with
the commands that it prints, reads everything back and compares. It needs no
network and no data of your own, and takes a few seconds.

` + exitHelp,
		Example: "  ndpush demo",
		Args:    cobra.NoArgs,
		RunE:    a.run(func(ctx context.Context) error { return a.runDemo(ctx, o) }),
	}
	cmd.Flags().StringVar(&o.dir, "dir", "", "directory to work in (default: a new temporary one)")
	return cmd
}

// demoBox is where the stack of the demo lies.
var demoBox = voxel.Box{Max: voxel.Point{X: 1100, Y: 1060, Z: 20}}

// demoJob is what the demo's commands have in common.
func demoJob(images, config string) []string {
	return []string{
		"--base-path", images, "--base-filename", "em_<p:4>", "--extension", "tif", "--datatype", "uint8",
		"--collection", "demo", "--experiment", "tissue", "--channel", "em",
		"--x-extent", demoBox.X().String(), "--y-extent", demoBox.Y().String(), "--z-extent", demoBox.Z().String(),
		"--boss-config-file", config,
	}
}

func (a *app) runDemo(ctx context.Context, o *demoOptions) (err error) {
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ndpush-demo-"); err != nil {
			return err
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "images"), testdata.Stacks); err != nil {
		return withHint(fmt.Errorf("demo: %w", err), "--dir wants a directory that has no demo in it yet")
	}
	server := serveOptions{listen: "127.0.0.1:0", dir: filepath.Join(dir, "boss"), config: filepath.Join(dir, "boss.cfg")}
	b, err := a.startBOSS(&server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	images := filepath.Join(dir, "images", "em")
	fmt.Fprintf(a.Stdout, "A small BOSS runs at %s, and 20 images of 1100×1060 are in %s.\n", b.url, images)

	job := demoJob(images, server.config)
	if err := a.step(ctx, "Create what BOSS lacks: collection, coordinate frame, experiment and channel.",
		"ingest", job, "--voxel-size", "4:4:40", "--create-resources", "--log-dir", dir); err != nil {
		return err
	}
	if err := a.step(ctx, "Post the images.", "ingest", job, "--verify", "none", "--log-dir", dir); err != nil {
		return err
	}
	if err := a.step(ctx, "Read everything back and compare.", "verify", job); err != nil {
		return err
	}
	picture := filepath.Join(dir, "em_z10.png")
	if err := a.fetchPicture(ctx, server.config, picture, 10); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, `
What BOSS now holds of slice 10 is in
  %s
All of it is there again after
  ndpush serve --dir %s --config boss.cfg
which shows it in a browser at http://127.0.0.1:8642/
To push a stack of your own: put an access file for your BOSS into neurodata.cfg
and run the two ingest commands above with your own paths, names and extents.

verified
`, picture, server.dir)
	return nil
}

// step shows a command to the reader and runs it in this process.
func (a *app) step(ctx context.Context, what, command string, job []string, more ...string) error {
	args := slices.Concat([]string{command}, job, more)
	fmt.Fprintf(a.Stdout, "\n# %s\n$ %s\n", what, script.Command(append([]string{"ndpush"}, args...)))
	step := &app{Env: a.Env}
	if code := step.main(ctx, args); code != exitDone {
		return &exitError{code, fmt.Errorf("demo: this step ended with exit status %d", code)}
	}
	return nil
}

// fetchPicture writes slice z of the demo's channel, as BOSS has it, to a PNG file.
func (a *app) fetchPicture(ctx context.Context, config, path string, z int) (err error) {
	access, err := boss.ReadAccess(config)
	if err != nil {
		return err
	}
	client, err := boss.New(access, boss.Options{Version: version()})
	if err != nil {
		return err
	}
	defer client.Close()
	ch, err := client.Channel("demo", "tissue", "em", 0, voxel.Uint8)
	if err != nil {
		return err
	}
	b, err := ch.Get(ctx, demoBox.WithZ(voxel.Range{Min: z, Max: z + 1}))
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size := b.Box.Size()
	return png.Encode(f, &image.Gray{Pix: b.Data, Stride: size.X, Rect: image.Rect(0, 0, size.X, size.Y)})
}
