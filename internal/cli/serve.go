package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/localboss"
)

type serveOptions struct {
	listen  string
	dir     string
	config  string
	control bool
}

func (a *app) newServeCmd() *cobra.Command {
	o := new(serveOptions)
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Run a small BOSS on this machine",
		Long: `Serve is a small BOSS to try things with: it takes the requests that the real one
takes, refuses what it refuses, and keeps the voxels in a directory: what it has
answered is there when it is started again, also if it was killed. It writes an
access file, which only you can read, for the ingest. It ends at Ctrl-C.`,
		Example: `  ndpush serve --dir boss --config neurodata.cfg`,
		Args:    cobra.NoArgs,
		RunE:    a.run(func(ctx context.Context) error { return a.runServe(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8642", "address to listen at; with port 0 a free one is taken")
	flags.StringVar(&o.dir, "dir", "", "directory to keep everything in (default: memory, gone at the end)")
	flags.StringVar(&o.config, "config", "localboss.cfg", "access file to write for clients")
	flags.BoolVar(&o.control, "control", false, "let clients script faults at /local/faults and count at /local/writes, for tests")
	return cmd
}

func (a *app) runServe(ctx context.Context, o *serveOptions) error {
	boss, err := a.startBOSS(o)
	if err != nil {
		return err
	}
	kept := "in " + o.dir
	if o.dir == "" {
		kept = "in memory"
	}
	fmt.Fprintf(a.Stdout, "BOSS at %s, data %s, access file %s; Ctrl-C ends it\n", boss.url, kept, o.config)
	select {
	case <-ctx.Done():
	case err := <-boss.failed:
		return fmt.Errorf("serve: %w", err)
	}
	return boss.stop()
}

// A runningBOSS is a local BOSS that listens.
type runningBOSS struct {
	url    string
	local  *localboss.Server
	http   *http.Server
	failed chan error
}

// startBOSS returns when clients can connect and the access file is there.
func (a *app) startBOSS(o *serveOptions) (*runningBOSS, error) {
	local, err := localboss.New(localboss.Options{Dir: o.dir, Control: o.control})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		local.Close()
		return nil, withHint(fmt.Errorf("serve: %w", err), "--listen 127.0.0.1:0 takes a free port")
	}
	b := &runningBOSS{
		url:    "http://" + l.Addr().String(),
		local:  local,
		http:   &http.Server{Handler: local, ReadHeaderTimeout: 10 * time.Second},
		failed: make(chan error, 1),
	}
	if addr, ok := l.Addr().(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
		a.warn("others can reach %s, and the token crosses the network in plain text", b.url)
	}
	if err := local.WriteAccess(o.config, b.url); err != nil {
		return nil, errors.Join(fmt.Errorf("write access file: %w", err), l.Close(), local.Close())
	}
	go func() { b.failed <- b.http.Serve(l) }()
	return b, nil
}

// stop lets requests finish that are at work.
func (b *runningBOSS) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(b.local.Close(), b.http.Shutdown(ctx))
}
