package boss

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/retry"
)

func TestExplain(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err   error
		class Class
		tries int
		want  string
	}{
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), Transient, 0, "connect to api.bossdb.io: connection refused"},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), Transient, 0, "connect to api.bossdb.io: network is unreachable"},
		{dial(&net.DNSError{Err: "no such host", Name: "api.bossdb.oi", IsNotFound: true}), Transient, few, "find api.bossdb.oi: no such host"},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "api.bossdb.io", IsTemporary: true}), Transient, 0, "connect to api.bossdb.io: lookup api.bossdb.io: server misbehaving"},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)}, Transient, 0, "connect to the proxy: connection refused"},
		{read(os.NewSyscallError("read", syscall.ECONNRESET)), Transient, 0, "api.bossdb.io closed the connection: connection reset by peer"},
		{fmt.Errorf("transport connection broken: %w", os.NewSyscallError("write", syscall.EPIPE)), Transient, 0, "api.bossdb.io closed the connection: broken pipe"},
		{io.EOF, Transient, 0, "api.bossdb.io closed the connection: EOF"},
		{io.ErrUnexpectedEOF, Transient, 0, "api.bossdb.io closed the connection: unexpected EOF"},
		{context.DeadlineExceeded, Transient, 0, "api.bossdb.io did not answer in time"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, Fatal, 0, "the certificate of api.bossdb.io is not trusted: x509: certificate signed by unknown authority"},
		{http.ErrSchemeMismatch, Fatal, 0, "api.bossdb.io speaks http, not https: correct the protocol"},
		{errors.New("malformed HTTP response\n\x1b[1m"), Transient, 0, "api.bossdb.io: malformed HTTP response [1m"},
	} {
		// As net/http wraps it.
		v, got := explain(fmt.Errorf("wrapped: %w", tt.err), "api.bossdb.io")
		got = strings.Replace(got, "wrapped: ", "", 1)
		if got != tt.want || v.class != tt.class || v.tries != tt.tries {
			t.Errorf("%v\ngot  %s, %v, %d\nwant %s, %v, %d", tt.err, got, v.class, v.tries, tt.want, tt.class, tt.tries)
		}
	}
}

// A proxy carries what is secret inside of TLS only.
func TestProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		p := make([]byte, 4096)
		n, _ := conn.Read(p)
		heard <- string(p[:n])
		io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	}()
	c, err := New(Access{Protocol: "https", Host: "api.bossdb.io", Token: NewToken(secret)}, Options{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()}),
		Retry: retry.Policy{Attempts: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Collection(t.Context(), "lab")
	if err == nil || !strings.Contains(err.Error(), "Proxy Authentication Required") {
		t.Errorf("got %v", err)
	}
	if got := <-heard; !strings.HasPrefix(got, "CONNECT api.bossdb.io:443 ") || strings.Contains(got, secret) {
		t.Errorf("the proxy hears %q", got)
	}
}
