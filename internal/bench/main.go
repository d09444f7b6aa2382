// Bench measures ndpush as people run it: the built program carries made-up stacks
// to a BOSS that keeps nothing, in a process of its own.
//
//	go run ./internal/bench --rows em-raw --side 8192 --json new.json --compare old.json
//
// Of each kind of stack it prints the median of what a run took: time, time of
// the processors, memory, bytes that were sent. All cuboids must arrive, once.
// What a run takes is compared with the sum of its parts, each measured alone, in
// processes too: to read the files, to compress their cuboids, to post as many
// bytes. See [partsOf].
//
// The program starts itself for all that is to have a process of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The parts of this program that run in processes of their own, by their first argument.
const (
	nullBoss  = "nullboss"
	makeStack = "make"
	onePart   = "part"
)

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case nullBoss:
			return serve(args[1:], stdin, stdout)
		case makeStack:
			return makeOne(args[1:], stdout)
		case onePart:
			return partAlone(ctx, args[1:], stdout)
		}
	}
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	return bench(ctx, o, stdout, stderr)
}

// options say what is measured.
type options struct {
	rows        *regexp.Regexp
	side        int
	slices      int
	count       int
	dir         string // of the stacks
	rate        string // of the line, "" if it has no limit
	compression string // for ndpush's flag of that name, "" if it is not given
	parts       bool
	json        string // file to write
	compare     string // file to compare with
	profile     string // file to write
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rows := flags.String("rows", "", "a regular expression: which kinds of stacks (default all)")
	flags.IntVar(&o.side, "side", 4096, "width and height of the slices; of labels, half of that")
	flags.IntVar(&o.slices, "slices", 32, "how many slices")
	flags.IntVar(&o.count, "count", 5, "how often each row is run")
	flags.StringVar(&o.dir, "dir", "", "where the stacks are made and kept (default a temporary directory)")
	flags.StringVar(&o.rate, "rate", "", "how fast the line to BOSS is, such as 25MB/s (default as fast as can be)")
	flags.StringVar(&o.compression, "compression", "", "for the flag of ndpush of that name")
	flags.BoolVar(&o.parts, "parts", true, "also measure the parts of the rows whose files hold pixels as they are")
	flags.StringVar(&o.json, "json", "", "a file to write the results to")
	flags.StringVar(&o.compare, "compare", "", "a file of --json to compare the results with")
	flags.StringVar(&o.profile, "profile", "", "run the first row once, in this process, and write a profile of the processors' time to this file")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	var err error
	switch o.rows, err = regexp.Compile(*rows); {
	case err != nil:
		return nil, fmt.Errorf("--rows: %w", err)
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q is no flag", flags.Arg(0))
	case o.side < least || o.slices < 1 || o.count < 1:
		return nil, fmt.Errorf("--side is %d at least, --slices and --count 1", least)
	}
	_, err = parseRate(o.rate)
	return o, err
}

// least is the smallest side: of the labels, which have half of it, a file still
// has two strips.
const least = 256

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([kMG]?)B/s$`)

// parseRate reads bytes a second, 0 if text is empty.
func parseRate(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	m := ratePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("--rate %q: want one like 25MB/s", text)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	rate := int64(f * map[string]float64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[m[2]])
	if err != nil || rate < 1 {
		return 0, fmt.Errorf("--rate %q: want one like 25MB/s", text)
	}
	return rate, nil
}
