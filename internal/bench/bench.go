package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/neurodata/ndpush/internal/bench/stack"
	"github.com/neurodata/ndpush/internal/blosc"
)

// A rig is what rows are measured with.
type rig struct {
	*options
	program string // ndpush
	work    string // a directory for what runs leave
	say     io.Writer
}

func bench(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	kinds := o.kinds()
	if len(kinds) == 0 {
		return errors.New("--rows: there is no such kind of stacks")
	}
	before, err := o.before()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "ndpush-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if o.dir == "" {
		o.dir = work
	}
	r := &rig{options: o, program: filepath.Join(work, "ndpush"), work: work, say: stderr}
	if o.profile != "" {
		return r.profileOne(ctx, kinds[0])
	}
	if err := build(ctx, r.program); err != nil {
		return err
	}
	res := &results{Setting: r.setting(ctx)}
	for _, k := range kinds {
		row := r.measure(ctx, k)
		res.Rows = append(res.Rows, row)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return res.finish(o, before, stdout)
}

// before reads the results to compare with, so that a wrong name is no surprise
// at the end. Nil: there are none.
func (o *options) before() (*results, error) {
	if o.compare == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.compare)
	if err != nil {
		return nil, err
	}
	res := new(results)
	if err := json.Unmarshal(text, res); err != nil {
		return nil, fmt.Errorf("%s: %w", o.compare, err)
	}
	return res, nil
}

// kinds are those that are asked for.
func (o *options) kinds() []stack.Kind {
	return slices.DeleteFunc(stack.Kinds(), func(k stack.Kind) bool { return !o.rows.MatchString(k.Name) })
}

// build builds ndpush as people get it.
func build(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "github.com/neurodata/ndpush/cmd/ndpush")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build ndpush: %w\n%s", err, out)
	}
	return nil
}

// measure runs a row as often as is asked for. What goes wrong is the row's error.
func (r *rig) measure(ctx context.Context, k stack.Kind) *row {
	row := &row{Name: k.Name}
	if err := r.measureTo(ctx, k, row); err != nil {
		row.Error = err.Error()
	}
	return row
}

func (r *rig) measureTo(ctx context.Context, k stack.Kind, row *row) error {
	s, err := r.stack(ctx, k)
	if err != nil {
		return err
	}
	row.Side, row.Slices, row.Voxels, row.Cuboids = s.Side, s.Slices, s.Voxels(k), s.Cuboids
	for i := range r.count {
		fmt.Fprintf(r.say, "%s: run %d of %d\n", k.Name, i+1, r.count)
		if err := warm(s); err != nil {
			return err
		}
		one, err := r.once(ctx, k, s)
		if err != nil {
			return err
		}
		row.Runs = append(row.Runs, one)
		if r.parts && k.Raw && s.Bytes == s.Voxels(k) {
			p, err := partsOf(ctx, s, r.codec(), one.Counts.Cutouts, one.Counts.Bytes)
			if err != nil {
				return err
			}
			row.Parts = append(row.Parts, p)
		}
	}
	return nil
}

// codec is what --compression says, as far as it matters to the parts.
func (o *options) codec() blosc.Codec {
	if o.compression == "zstd" {
		return blosc.Zstd
	}
	return blosc.LZ4
}

// stack finds a stack or has a process of its own make it, which takes memory that
// a child of ours would seem to have; see peakOf.
func (r *rig) stack(ctx context.Context, k stack.Kind) (*stack.Stack, error) {
	fmt.Fprintf(r.say, "%s: the stack\n", k.Name)
	var dir string
	if err := ask(ctx, &dir, makeStack, r.dir, k.Name, strconv.Itoa(r.side), strconv.Itoa(r.slices)); err != nil {
		return nil, err
	}
	return stack.Read(dir)
}

// makeOne makes a stack, and says in which directory it is.
func makeOne(args []string, stdout io.Writer) error {
	if len(args) != 4 {
		return errors.New("make: want a directory, a kind, a side and a number of slices")
	}
	side, err := strconv.Atoi(args[2])
	depth, err2 := strconv.Atoi(args[3])
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	for _, k := range stack.Kinds() {
		if k.Name == args[1] {
			s, err := stack.Make(args[0], k, side, depth)
			if err != nil {
				return err
			}
			return json.NewEncoder(stdout).Encode(s.Dir)
		}
	}
	return fmt.Errorf("there is no kind of stacks %s", args[1])
}

// warm has the system hold the files in its memory, as it does of those that were
// just made, and may not for long: disks are not what is measured.
func warm(s *stack.Stack) error {
	for z := range s.Slices {
		f, err := os.Open(s.Path(z))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
