package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/viewer"
)

type serveOptions struct {
	listen  string
	dir     string
	config  string
	public  bool
	tls     bool
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
access file, which only you can read, for the ingest. It ends at Ctrl-C.

A browser shows what it holds: its address is printed. Where other machines can
reach it nobody may look without the token, unless --public says so; to write
always takes the token. With --tls-self-signed Neuroglancer can show it too. The
certificate is made at the first start and kept in --dir; browsers ask about it
once, and ndpush trusts it with SSL_CERT_FILE.`,
		Example: `  ndpush serve --dir boss --config neurodata.cfg
  ndpush serve --dir boss --tls-self-signed`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runServe(ctx, o) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8642", "address to listen at; with port 0 a free one is taken")
	flags.StringVar(&o.dir, "dir", "", "directory to keep everything in (default: memory, gone at the end)")
	flags.StringVar(&o.config, "config", "localboss.cfg", "access file to write for clients")
	flags.BoolVar(&o.public, "public", false, "let everyone look who can reach it, without the token")
	flags.BoolVar(&o.tls, "tls-self-signed", false, "serve HTTPS with a certificate of its own, and let pages of other sites, such as Neuroglancer, look")
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
	if boss.public {
		fmt.Fprintf(a.Stdout, "See what it holds at %s/\n", boss.url)
	}
	if o.tls {
		fmt.Fprintf(a.Stdout, "Neuroglancer's source is boss://%s/COLLECTION/EXPERIMENT/CHANNEL, once the browser trusts the address above\n", boss.url)
	}
	if o.tls && o.dir != "" {
		fmt.Fprintf(a.Stdout, "ndpush trusts it with SSL_CERT_FILE=%s\n", certificatePath(o.dir))
	}
	return boss.until(ctx)
}

// A runningBOSS is a local BOSS that listens.
type runningBOSS struct {
	url    string
	public bool // everyone may look who can reach it
	local  *localboss.Server
	http   *http.Server
	failed chan error
}

// startBOSS returns when clients can connect and the access file is there.
func (a *app) startBOSS(o *serveOptions) (*runningBOSS, error) {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, withHint(fmt.Errorf("serve: %w", err), "--listen 127.0.0.1:0 takes a free port")
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	others := ok && !addr.IP.IsLoopback()
	b := &runningBOSS{
		url:    "http://" + l.Addr().String(),
		public: o.public || !others, // who is on this machine can read the files too
		failed: make(chan error, 1),
	}
	b.local, err = localboss.New(localboss.Options{Dir: o.dir, Public: b.public, CrossOrigin: o.tls, Control: o.control})
	if err != nil {
		l.Close()
		return nil, err
	}
	handler := viewer.Handler(b.local, viewer.Options{Closed: !b.public})
	if !o.public && !others {
		handler = onlyHere(handler)
	}
	b.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of browsers that do not trust the certificate yet
	}
	switch {
	case o.tls:
		b.url = "https://" + l.Addr().String()
		host, _, _ := net.SplitHostPort(o.listen)
		cert, err := selfSigned(o.dir, host, a.Now())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("serve: %w", err), l.Close(), b.local.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	case others:
		a.warn("others can reach %s, and the token crosses the network in plain text", b.url)
	}
	if err := b.local.WriteAccess(o.config, b.url); err != nil {
		return nil, errors.Join(fmt.Errorf("write access file: %w", err), l.Close(), b.local.Close())
	}
	go func() { b.failed <- b.http.Serve(l) }()
	return b, nil
}

// onlyHere refuses requests under other names than those of this machine. What is
// readable without a token here would else be readable for a page from elsewhere,
// whose name was made to lead here after it was loaded (DNS rebinding).
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		host = strings.Trim(host, "[]")
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this BOSS is for this machine: ask for localhost, or serve with --public", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// until waits until ctx ends, or the BOSS fails, and stops it.
func (b *runningBOSS) until(ctx context.Context) (err error) {
	select {
	case <-ctx.Done():
	case err = <-b.failed:
		err = fmt.Errorf("serve: %w", err)
	}
	return errors.Join(err, b.stop())
}

// stop lets requests finish that are at work.
func (b *runningBOSS) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(b.local.Close(), b.http.Shutdown(ctx))
}
