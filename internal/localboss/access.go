package localboss

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

const tokenFile = "token"

// publicToken is what BossDB lets everyone read with.
const publicToken = "public"

// token is the given one, or the one in dir, or a new one. If it is not the one
// in dir it is put there, so that clients outlive a restart.
func token(dir, given string) (string, error) {
	stored, err := storedToken(dir)
	if err != nil {
		return "", err
	}
	t := given
	if t == "" {
		t = stored
	}
	if t == "" {
		t = newToken()
	}
	if strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("token: only ASCII without blanks can be sent in a header")
	}
	if dir == "" || t == stored {
		return t, nil
	}
	return t, writeFile(filepath.Join(dir, tokenFile), []byte(t+"\n"), 0o600)
}

func storedToken(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	p, err := os.ReadFile(filepath.Join(dir, tokenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(p)), err
}

// newToken has the form of BOSS's: 40 hex digits.
func newToken() string {
	var p [20]byte
	rand.Read(p[:])
	return hex.EncodeToString(p[:])
}

func sameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// WriteAccess writes the file that tells clients where this server is and how
// to log in: the form that intern and the first ndpush read. base is the
// server's URL, such as http://127.0.0.1:8642. Only the user can read the file;
// one that is there is replaced at once.
func (s *Server) WriteAccess(path, base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("localboss: %q is not the URL of a server", base)
	}
	text := fmt.Sprintf("[Default]\nprotocol = %s\nhost = %s\ntoken = %s\n", u.Scheme, u.Host, s.token)
	return writeFile(path, []byte(text), 0o600)
}

// removeTemp removes what a killed server was writing with writeFile in dir.
func removeTemp(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), stateFile+".") || strings.HasPrefix(e.Name(), tokenFile+".")
		if ours && strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// writeFile replaces a file as a whole: readers see the old one or the new one.
func writeFile(path string, p []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
