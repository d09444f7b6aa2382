package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"os"
	"testing"
	"time"
)

// signedBy is a certificate for host that the key of another signed.
func signedBy(t *testing.T, by tls.Certificate, host string, now time.Time) *x509.Certificate {
	t.Helper()
	key := by.PrivateKey.(*ecdsa.PrivateKey)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}, by.Leaf, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// A certificate is for this machine and the host, is kept as long as it holds,
// and its key is for its owner alone.
func TestSelfSigned(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	first, err := selfSigned(dir, "192.0.2.7", now)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(first.Leaf)
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.7"} {
		if _, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
			t.Error(err)
		}
	}
	if _, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: "boss.example", Roots: roots, CurrentTime: now}); err == nil {
		t.Error("it is for another's name, too")
	}
	if forged := signedBy(t, first, "boss.example", now); first.Leaf.IsCA {
		t.Error("it is an authority")
	} else if _, err := forged.Verify(x509.VerifyOptions{DNSName: "boss.example", Roots: roots, CurrentTime: now}); err == nil {
		t.Error("what its key signed for another's name is trusted")
	}
	if info, err := os.Stat(keyPath(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	for _, tt := range []struct {
		host string
		now  time.Time
		same bool
	}{
		{"192.0.2.7", now.Add(time.Hour), true},
		{"0.0.0.0", now.Add(300 * 24 * time.Hour), true},
		{"boss.example", now, false},
		{"boss.example", now.Add(400 * 24 * time.Hour), false},
	} {
		next, err := selfSigned(dir, tt.host, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if same := bytes.Equal(first.Certificate[0], next.Certificate[0]); same != tt.same {
			t.Errorf("%s at %v: the same certificate: %v, want %v", tt.host, tt.now, same, tt.same)
		}
		first = next
	}
	if err := os.WriteFile(certificatePath(dir), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := selfSigned(dir, "", now); err == nil {
		t.Error("a certificate that is none was taken")
	}
	if c, err := selfSigned("", "", now); err != nil || len(c.Certificate) != 1 {
		t.Errorf("in memory: %v", err)
	}
}
