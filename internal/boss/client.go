// Package boss speaks with a BOSS over its REST interface.
//
// A [Client] is one person's access to one server, and a [Channel] where voxels
// are put and fetched. What BOSS answers becomes an [*Error] that knows whether
// the same request may succeed later, whether every other request would fail,
// and whether BOSS takes no data for now; one table decides that. Requests that
// may succeed later are repeated here, with Options.Retry, and nowhere above.
// Options.Pace holds back all of them together, to be a good guest.
//
// It speaks HTTP/1.1: uploads of megabytes run at a third of the speed over
// HTTP/2's one connection. It follows no redirects, so that the token goes to
// the host of the access file and nowhere else.
//
// The interface is that of the jhuapl-boss server, API v1
// (https://docs.theboss.io), as observed on its code.
package boss

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/retry"
)

// Options of a Client. The zero value is sensible.
type Options struct {
	Version string // of ndpush, told to the server

	// Workers is how many requests run at a time; that many connections are kept
	// open between them. Zero: 16.
	Workers int

	Timeouts Timeouts
	Retry    retry.Policy  // see patience
	OnRetry  func(Failure) // is called before each wait, concurrently; nil: nobody is told

	// Pace says when the attempts are sent, and how fast. It may be shared by
	// clients of one BOSS. Nil: at once, and as fast as can be. The first request
	// of a run had better go without: an address that is wrong would be waited for.
	Pace *pace.Pace

	Compression Compression // of cuboids

	// InsecureHTTP allows the token to be sent in plain text to a host other than
	// this machine.
	InsecureHTTP bool

	RootCAs *x509.CertPool                        // whose certificates are trusted; nil: the system's
	Proxy   func(*http.Request) (*url.URL, error) // nil: the environment's, see [http.ProxyFromEnvironment]

	dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: the machine's; for tests
}

// Timeouts bound each stage of a request, so that a server which falls silent
// holds no worker for ever.
type Timeouts struct {
	Dial time.Duration // to connect; zero: 30 s
	TLS  time.Duration // to agree on a key; zero: 30 s

	// Continue is the wait for leave to send a cuboid. A front end that knows
	// nothing of 100-continue costs this much a cuboid. Zero: 1 s.
	Continue time.Duration

	// Answer is from the end of the request to the head of the answer. BOSS waits
	// up to 60 s for cuboids that are being written. Zero: 2 minutes.
	Answer time.Duration

	// Stall is the longest time in which no byte moves, either way, while some
	// should. Zero: 2 minutes.
	Stall time.Duration

	// Request is for one attempt in all: 16 MiB at 30 kB/s. The front end of BOSS
	// gives up after the same time. Waits for our own bandwidth limit do not count.
	// Zero: 10 minutes.
	Request time.Duration
}

// A Client is safe for concurrent use.
type Client struct {
	access   Access
	agent    string
	http     http.Client
	timeouts Timeouts
	retry    retry.Policy
	onRetry  func(Failure)
	pace     *pace.Pace
	frames   framePool

	compression Compression
}

// New returns a client for a. It sends nothing; see [Client.CheckToken].
// An access that cannot be right is an error, and so is one that would send the
// token in plain text, unless opts allows it.
func New(a Access, opts Options) (*Client, error) {
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("access to BOSS: %w", err)
	}
	if a.Protocol == "http" && !opts.InsecureHTTP && !isLoopback(a.Host) {
		return nil, fmt.Errorf("access to BOSS: protocol http would show the token to everybody on the way to %s: use https", a.Host)
	}
	opts.setDefaults()
	c := &Client{
		access:   a,
		agent:    "ndpush/" + opts.Version,
		timeouts: opts.Timeouts,
		retry:    opts.Retry,
		onRetry:  opts.OnRetry,
		pace:     opts.Pace,

		compression: opts.Compression,
	}
	c.http.Transport = opts.transport()
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

func (o *Options) setDefaults() {
	o.Timeouts.setDefaults()
	if o.Version == "" {
		o.Version = "devel"
	}
	if o.Workers == 0 {
		o.Workers = 16
	}
	if o.OnRetry == nil {
		o.OnRetry = func(Failure) {}
	}
	if o.dial == nil {
		o.dial = (&net.Dialer{Timeout: o.Timeouts.Dial}).DialContext
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	o.Retry = o.Retry.Or(patience)
}

func (t *Timeouts) setDefaults() {
	for _, d := range []struct {
		value  *time.Duration
		preset time.Duration
	}{
		{&t.Dial, 30 * time.Second},
		{&t.TLS, 30 * time.Second},
		{&t.Continue, time.Second},
		{&t.Answer, 2 * time.Minute},
		{&t.Stall, 2 * time.Minute},
		{&t.Request, 10 * time.Minute},
	} {
		if *d.value == 0 {
			*d.value = d.preset
		}
	}
}

func (o *Options) transport() *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		Protocols:             http1,
		Proxy:                 o.Proxy,
		DialContext:           o.connect,
		TLSHandshakeTimeout:   o.Timeouts.TLS,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		ResponseHeaderTimeout: o.Timeouts.Answer,
		ExpectContinueTimeout: o.Timeouts.Continue,
		MaxIdleConnsPerHost:   o.Workers,
		// Less than nginx's keepalive_timeout of 75 s, so that it is seldom the
		// server that closes, just as the next request is sent.
		IdleConnTimeout:    60 * time.Second,
		DisableCompression: true, // voxels come as Blosc
	}
}

// URL is where BOSS is: protocol and host.
func (c *Client) URL() string { return c.access.url() }

// Pace is what the Options said; nil: nobody holds requests back.
func (c *Client) Pace() *pace.Pace { return c.pace }

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }
