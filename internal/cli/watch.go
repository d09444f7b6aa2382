package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/metrics"
	"github.com/neurodata/ndpush/internal/progress"
)

// watchFlags are the flags by which programs follow a run.
type watchFlags struct {
	json    bool
	metrics string
}

func (f *watchFlags) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&f.json, "json", false, "print what happens as objects, one a line; what is for people goes to standard error: see ndpush help watching")
	flags.StringVar(&f.metrics, "metrics", "", "show Prometheus how the run stands, at http://ADDR/metrics, like :9464")
}

// watched runs f where programs can follow it as flags say.
func (a *app) watched(ctx context.Context, flags watchFlags, f func(context.Context) error) error {
	if flags.json {
		// Who reads the events may die in the night; the work goes on without.
		signal.Ignore(syscall.SIGPIPE)
		a.events = event.New(a.Stdout, a.Now)
		a.retries.events = a.events
		a.Stdout = a.Stderr
	}
	if flags.metrics == "" {
		return f(ctx)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", flags.metrics)
	if err != nil {
		return withHint(fmt.Errorf("--metrics: %w", err), "give a free port of this machine, like --metrics 127.0.0.1:9464; with port 0 one is found")
	}
	a.metrics = metrics.New(version())
	server := &http.Server{Handler: a.metrics, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l) // until it is closed
	}()
	defer func() {
		server.Close()
		<-done
	}()
	fmt.Fprintf(a.Stderr, "metrics at http://%v/metrics\n", l.Addr())
	return f(ctx)
}

// wantsEvents reports whether args, which cmd could not make sense of, ask for
// events: who reads them waits for the last one.
func wantsEvents(cmd *cobra.Command, args []string) bool {
	return cmd.Flags().Lookup("metrics") != nil && (slices.Contains(args, "--json") || slices.Contains(args, "--json=true"))
}

// eventEvery is the time between events that say how a run stands.
const eventEvery = 5 * time.Second

// follow lets programs follow the run of a channel until stop is called.
func (a *app) follow(channel string, status func() progress.Status) (stop func()) {
	if a.metrics != nil {
		a.metrics.Follow(channel, status)
	}
	return a.events.Follow(channel, eventEvery, status)
}
