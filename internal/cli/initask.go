package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/neurodata/ndpush/internal/job"
)

// asked reads what a person types, line by line. Nobody waits for it in the end: a
// read of a terminal cannot be given up.
func (a *app) asked() <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(a.Stdin); in.Scan(); {
			lines <- in.Text()
		}
	}()
	return lines
}

// ask asks for what nobody knows but the person, if there is one.
func (a *app) ask(ctx context.Context, o *initOptions, s *sighting) error {
	if !a.Asks {
		return nil
	}
	lines := a.asked()
	for i, flag := range []string{"collection", "experiment", "channel"} {
		if err := a.askFlag(ctx, o, lines, flag, flag+" in BOSS", s.parents[i], func(text string) error { return job.CheckName(flag, text) }); err != nil {
			return err
		}
	}
	if s.typ == 0 {
		if err := a.askFlag(ctx, o, lines, "datatype", "datatype, uint8 or uint16", "uint8", nil); err != nil {
			return err
		}
	}
	if size := sizeText(s.size); size == "" || isUnknown(size) {
		what := "voxel size x:y:z in nanometers"
		if size != "" {
			what += fmt.Sprintf(" (%s has %s)", s.size.From, size)
		}
		return a.askFlag(ctx, o, lines, "voxel-size", what, "", nil)
	}
	return nil
}

// askFlag asks for the value of a flag that was not given, until there is a good
// one or none. judge may be nil: the flag itself judges.
func (a *app) askFlag(ctx context.Context, o *initOptions, lines <-chan string, flag, what, preset string, judge func(string) error) error {
	for !o.flags.Changed(flag) {
		fmt.Fprintf(a.Stderr, "%s [%s]: ", what, cmp.Or(preset, "later"))
		var text string
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, ok := <-lines:
			if text = strings.TrimSpace(line); !ok || text == "" {
				text = preset
			}
		}
		if text == "" {
			return nil // it will be a ?
		}
		var err error
		if judge != nil {
			err = judge(text)
		}
		if known := len(o.problems); err == nil {
			err = o.flags.Set(flag, text)
			if len(o.problems) > known { // a value notes what is wrong with it
				err = errors.Join(o.problems[known:]...)
				o.problems = o.problems[:known]
				o.flags.Lookup(flag).Changed = false
			}
		}
		if err != nil {
			fmt.Fprintln(a.Stderr, err)
		}
	}
	return nil
}
