package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// certificatePath is where the server's certificate is kept in its directory;
// the key, which nobody else can read, is beside it.
func certificatePath(dir string) string { return filepath.Join(dir, "tls-cert.pem") }

func keyPath(dir string) string { return filepath.Join(dir, "tls-key.pem") }

// selfSigned is a certificate for this machine's own names and for host. The one
// in dir is taken as long as it holds, so that what a user has told the browser
// about it holds too; "" keeps none.
func selfSigned(dir, host string, now time.Time) (tls.Certificate, error) {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if ip := net.ParseIP(host); host != "" && !slices.Contains(names, host) && (ip == nil || !ip.IsUnspecified()) {
		names = append(names, host)
	}
	if dir == "" {
		cert, key, err := makeCertificate(names, now)
		if err != nil {
			return tls.Certificate{}, err
		}
		return tls.X509KeyPair(cert, key)
	}
	kept, err := tls.LoadX509KeyPair(certificatePath(dir), keyPath(dir))
	switch {
	case err == nil && covers(kept.Leaf, names, now):
		return kept, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return tls.Certificate{}, withHint(fmt.Errorf("read the certificate: %w", err), "remove %s to have another one made", certificatePath(dir))
	}
	cert, key, err := makeCertificate(names, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	// The key first: without a certificate it is made again.
	for _, f := range []struct {
		path string
		text []byte
	}{{keyPath(dir), key}, {certificatePath(dir), cert}} {
		if err := errors.Join(ignoreMissing(os.Remove(f.path)), os.WriteFile(f.path, f.text, 0o600)); err != nil {
			return tls.Certificate{}, fmt.Errorf("keep the certificate: %w", err)
		}
	}
	return tls.X509KeyPair(cert, key)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// covers reports whether a certificate is for all these names, and no others could
// be made with it, and for another day at least.
func covers(cert *x509.Certificate, names []string, now time.Time) bool {
	return !cert.IsCA && now.After(cert.NotBefore) && now.Add(24*time.Hour).Before(cert.NotAfter) &&
		!slices.ContainsFunc(names, func(name string) bool { return cert.VerifyHostname(name) != nil })
}

// makeCertificate makes one that can be trusted by itself, and its key, in PEM. It
// is no authority: who gets hold of the key of one that a machine trusts can be
// this server there, and nobody else. An authority with constraints would let them
// name others below it, and not all clients heed constraints of one they trust.
// It holds for as long as browsers take one: 398 days.
func makeCertificate(names []string, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	t := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "ndpush serve"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(397 * 24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, &t, &t, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	p, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: p}), nil
}
