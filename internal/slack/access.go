package slack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
)

// Access is as whom to speak: as an app, with its token, or through an incoming
// webhook, which is a secret address that belongs to one channel.
type Access struct {
	Webhook bool
	Secret  Secret // the token, or the webhook's URL

	From    string // the file it was found in
	Warning string // a reason to worry, in one sentence, or ""
}

// maxAccessFile bounds what is read of a file that is called a token's.
const maxAccessFile = 64 << 10

// ReadToken returns the access with the token in the first line of a file.
// No error shows the token; a file that is not there wraps [fs.ErrNotExist].
func ReadToken(path string) (Access, error) {
	return readAccess(path, "token", checkToken)
}

// ReadWebhook is ReadToken for a file that holds the URL of an incoming webhook.
func ReadWebhook(path string) (Access, error) {
	a, err := readAccess(path, "webhook", checkWebhook)
	a.Webhook = true
	return a, err
}

func readAccess(path, what string, check func(string) error) (Access, error) {
	f, err := os.Open(path)
	if err != nil {
		return Access{}, fmt.Errorf("read Slack %s file: %w", what, err)
	}
	defer f.Close()
	line, err := firstLine(f)
	if err != nil {
		return Access{}, fmt.Errorf("read Slack %s file: %w", what, err)
	}
	if err := check(line); err != nil {
		return Access{}, fmt.Errorf("the Slack %s file %s: %w", what, path, err)
	}
	a := Access{Secret: NewSecret(line), From: path}
	if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		a.Warning = fmt.Sprintf("others on this machine can read the Slack %s in %s (mode %04o): run chmod 600 %[2]s", what, path, info.Mode().Perm())
	}
	return a, nil
}

// firstLine is the first line of r, without the byte order mark that editors on
// Windows put there.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxAccessFile)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")), nil
}

// tokenPattern is the alphabet of Slack's tokens.
var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// checkToken returns an error if Slack cannot have given out this token for an app.
func checkToken(secret string) error {
	switch {
	case secret == "":
		return errors.New("the first line is empty: want the app's Bot User OAuth Token, which begins with xoxb-")
	case strings.HasPrefix(secret, "https://"):
		return errors.New("this is an address, not a token: --slack-webhook-file is for webhooks")
	case strings.HasPrefix(secret, "xapp-"):
		return errors.New("this is an app-level token: want the Bot User OAuth Token, which begins with xoxb-")
	case !tokenPattern.MatchString(secret):
		return errors.New("the first line contains a character that no token has: want the token alone")
	}
	return nil
}

// checkWebhook returns an error if secret is no URL to send anything to.
func checkWebhook(secret string) error {
	if secret == "" {
		return errors.New("the first line is empty: want the Webhook URL, which begins with https://hooks.slack.com/")
	}
	u, err := url.Parse(secret) // its error shows the URL
	switch {
	case strings.HasPrefix(secret, "xox"):
		return errors.New("this is a token, not an address: --slack-token-file is for tokens")
	case err != nil || u.Host == "" || strings.ContainsAny(secret, " \t"):
		return errors.New("the first line is no address: want the Webhook URL, which begins with https://hooks.slack.com/")
	case !private(u):
		return errors.New("the address does not begin with https://: the secret in it would cross the network in plain text")
	}
	return nil
}

// private reports whether nobody between here and there can listen.
func private(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (err == nil && ip.IsLoopback() || u.Hostname() == "localhost")
}
