package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/plan"
)

// bossFlags are the flags that say which BOSS, and how to speak with it.
type bossFlags struct {
	config       string
	insecureHTTP bool
	workers      int
	bandwidth    pace.Timetable
	patience     time.Duration
	compression  boss.Compression
}

// bind binds the flags; workers is the name of the one that says how many
// cuboids are on their way.
func (f *bossFlags) bind(flags *pflag.FlagSet, p *problems, workers string) {
	f.bindAccess(flags, "neurodata.cfg, else INTERN_PROTOCOL, INTERN_HOST and INTERN_TOKEN, else ~/.intern/intern.cfg")
	flags.Var(&value{name: workers, kind: "int", parse: parseInt(&f.workers, 1), problems: p}, workers,
		"cuboids on their way to BOSS at one time at most; fewer while it is slow (default 8)")
	limit := &value{name: "bwlimit", kind: "rate", problems: p, parse: parseWith(&f.bandwidth, pace.ParseTimetable)}
	flags.Var(limit, limit.name, "what this process sends at most: 10M is 10 MB/s, '08:00,5M 19:00,off' a timetable, also with days as in 'Mon-08:00,5M Sat-00:00,off'")
	compression := &value{name: "compression", kind: "how", text: f.compression.String(), problems: p, parse: parseWith(&f.compression, boss.ParseCompression)}
	flags.Var(compression, compression.name, "how cuboids are compressed on their way: auto is zstd while the network or BOSS is the limit, and lz4 while the CPU is; or always lz4, zstd or none")
	flags.DurationVar(&f.patience, "patience", time.Hour, "how long BOSS may be out of reach before the run ends, with status 5")
}

// bindAccess binds the flags that say which BOSS; preset is which it is without them.
func (f *bossFlags) bindAccess(flags *pflag.FlagSet, preset string) {
	flags.StringVar(&f.config, "boss-config-file", "", "access file with protocol, host and token (default "+preset+")")
	flags.BoolVar(&f.insecureHTTP, "insecure-http", false, "send the token in plain text to a host that is not this machine")
}

// firstAttempts is how often the first request of a run is tried: a person is
// watching, and a wrong host should not take a minute to show.
const firstAttempts = 3

// client finds the access, proves that BOSS takes the token by asking for a
// collection, which need not exist, and makes a patient client for the run.
func (a *app) client(ctx context.Context, f *bossFlags, collection string) (*boss.Client, error) {
	access, err := boss.FindAccess(f.config, a.Getenv, a.Home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, withHint(err, "get a token at https://api.bossdb.io/v1/mgmt/token and put it into neurodata.cfg, see neurodata.cfg.example")
	}
	if err != nil {
		return nil, err
	}
	if access.Warning != "" {
		a.warn("%s", access.Warning)
	}
	opts := boss.Options{Version: version(), Workers: f.workers, InsecureHTTP: f.insecureHTTP, OnRetry: a.retries.boss, Compression: f.compression}
	opts.Retry.Attempts = firstAttempts
	first, err := boss.New(access, opts)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	if err := first.CheckToken(ctx, collection); err != nil {
		return nil, explainAccess(err, access)
	}
	opts.Retry.Attempts = 0
	opts.Pace = pace.New(pace.Options{
		Workers:   cmp.Or(f.workers, plan.DefaultWorkers),
		Bandwidth: f.bandwidth, Patience: f.patience,
		OnLimit: a.retries.limit, OnOutage: a.retries.outage,
	})
	return boss.New(access, opts)
}

// explainAccess adds to the error of the first request to BOSS what to do.
func explainAccess(err error, access boss.Access) error {
	hint := "the access to BOSS was found in " + access.From
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		hint += "; if the certificate is one of your own, SSL_CERT_FILE=FILE names it, or who signed it, in place of those that the system trusts (Windows and macOS: add it to the system's)"
	}
	return withHint(err, "%s", hint)
}

// neuroglancer is a link that shows the channel in a browser, or "" for a BOSS that
// it cannot reach.
func neuroglancer(server string, j *job.Job) string {
	if !strings.HasPrefix(server, "https://") {
		return ""
	}
	kind := "image"
	if j.Annotation {
		kind = "segmentation"
	}
	state := fmt.Sprintf(`{"layers":[{"type":%q,"name":%q,"source":%q}]}`, kind, j.Channel, "boss://"+server+"/"+j.Path())
	return "https://neuroglancer.bossdb.io/#!" + url.PathEscape(state)
}
