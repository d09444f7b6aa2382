package boss

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"gopkg.in/ini.v1"
)

// Access is how to reach a BOSS, and as whom.
type Access struct {
	Protocol string // https or http
	Host     string // name or address, with a port if it needs one
	Token    Token

	From    string // where it was found: a file, or "the environment"
	Warning string // a reason to worry, in one sentence, or ""
}

// String shows everything but the token.
func (a Access) String() string { return fmt.Sprintf("%s (from %s)", a.url(), a.From) }

func (a Access) url() string { return a.Protocol + "://" + a.Host }

// accessFile is where the access is looked for in the working directory.
const accessFile = "neurodata.cfg"

// maxAccessFile bounds what is read of a file that is called an access file.
const maxAccessFile = 64 << 10

// variables are those of intern, the Python client, in the order of accessKeys.
var variables = [...]string{"INTERN_PROTOCOL", "INTERN_HOST", "INTERN_TOKEN"}

// accessKeys are the keys of an access file.
var accessKeys = [...]string{"protocol", "host", "token"}

// FindAccess returns the access that path holds or, if path is "", the first of
//
//   - the file neurodata.cfg in the working directory,
//   - the environment variables INTERN_PROTOCOL, INTERN_HOST and INTERN_TOKEN,
//     if any of them is set,
//   - the file .intern/intern.cfg in home.
//
// The file that lies beside the data comes first, as it always has: a variable
// set for another program must not send the data elsewhere.
//
// A file is in INI form, with protocol, host and token in the section [Default].
// What is found first is taken: if it is faulty, that is an error, in one
// sentence that never shows the token.
func FindAccess(path string, getenv func(string) string, home string) (Access, error) {
	if path != "" {
		return ReadAccess(path)
	}
	a, err := ReadAccess(accessFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, ok, err := accessFromEnv(getenv); ok {
		return a, err
	}
	intern := filepath.Join(home, ".intern", "intern.cfg")
	if home != "" {
		a, err = ReadAccess(intern)
		if !errors.Is(err, fs.ErrNotExist) {
			return a, err
		}
	}
	return Access{}, fmt.Errorf("no access to BOSS: there is neither a file %s, nor %s in the environment, nor a file %s: %w",
		accessFile, strings.Join(variables[:], ", "), intern, fs.ErrNotExist)
}

// ReadAccess returns the access that the file path holds.
// A file that is not there is an error that wraps [fs.ErrNotExist].
func ReadAccess(path string) (Access, error) {
	f, err := os.Open(path)
	if err != nil {
		return Access{}, fmt.Errorf("read access file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAccessFile))
	if err != nil {
		return Access{}, fmt.Errorf("read access file: %w", err)
	}
	a, err := parseAccess(text)
	if err != nil {
		return Access{}, fmt.Errorf("access file %s: %w", path, err)
	}
	a.From = path
	if info, err := f.Stat(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		a.Warning = fmt.Sprintf("others on this machine can read the token in %s (mode %04o): run chmod 600 %[1]s", path, info.Mode().Perm())
	}
	return a, nil
}

// parseAccess reads the text of an access file.
func parseAccess(text []byte) (Access, error) {
	// Python's configparser, for which these files were written, knows neither
	// comments after a value nor a backslash that continues a line.
	file, err := ini.LoadSources(ini.LoadOptions{
		InsensitiveKeys:     true,
		IgnoreInlineComment: true,
		IgnoreContinuation:  true,
	}, text)
	if err != nil { // its text quotes the line, which may be the token's
		return Access{}, errors.New("a line is not of the form key = value")
	}
	var values [len(accessKeys)]string
	for i, key := range accessKeys {
		k := defaultKey(file, key)
		if k == nil {
			return Access{}, fmt.Errorf("the section [Default] lacks the key %s", key)
		}
		values[i] = k.Value()
	}
	return newAccess(values)
}

// defaultKey finds a key in the section [Default], however it is capitalised, or
// before the first section, which to ini is DEFAULT; nil if it is in neither.
func defaultKey(file *ini.File, name string) *ini.Key {
	for _, section := range file.Sections() {
		if strings.EqualFold(section.Name(), "Default") && section.HasKey(name) {
			return section.Key(name)
		}
	}
	return nil
}

// accessFromEnv reports whether the environment holds an access, and reads it.
func accessFromEnv(getenv func(string) string) (a Access, ok bool, err error) {
	var values [len(variables)]string
	var missing []string
	for i, name := range variables {
		if values[i] = getenv(name); values[i] == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == len(variables) {
		return Access{}, false, nil
	}
	if len(missing) > 0 {
		return Access{}, true, fmt.Errorf("access to BOSS from the environment: %s is not set", strings.Join(missing, " and "))
	}
	if a, err = newAccess(values); err != nil {
		return Access{}, true, fmt.Errorf("access to BOSS from the environment: %w", err)
	}
	a.From = "the environment"
	return a, true, nil
}

// newAccess judges values, which are in the order of accessKeys.
func newAccess(values [len(accessKeys)]string) (Access, error) {
	a := Access{Protocol: strings.ToLower(values[0]), Host: values[1], Token: NewToken(values[2])}
	return a, a.check()
}

// check returns an error if a cannot be right.
func (a Access) check() error {
	if a.Protocol != "https" && a.Protocol != "http" {
		return fmt.Errorf("protocol %q: want https or http", a.Token.censor(a.Protocol))
	}
	if err := checkHost(a.Token.censor(a.Host)); err != nil {
		return err
	}
	return checkToken(a.Token.reveal())
}

// checkHost accepts a host, with or without a port, and nothing around it.
func checkHost(host string) error {
	if host == "" {
		return errors.New("the host is empty: want a name such as api.bossdb.io")
	}
	u, err := url.Parse("//" + host)
	if err == nil && u.Host == host && u.Hostname() != "" && hostPattern.MatchString(host) {
		return nil
	}
	if full, err := url.Parse(host); err == nil && full.Scheme != "" && full.Host != "" {
		return fmt.Errorf("host %q: want the name only, host = %s (https or http belongs to the key protocol)", full.Redacted(), full.Host)
	}
	return fmt.Errorf("host %q: want only a name or an address and perhaps a port, such as api.bossdb.io", host)
}

// hostPattern is the alphabet of names, of IPv4 and of IPv6 addresses.
var hostPattern = regexp.MustCompile(`^[a-zA-Z0-9._:\[\]-]+$`)

// tokenPattern is what RFC 6750 section 2.1 allows in an Authorization header.
var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// checkToken returns an error if no BOSS can have given out this token.
func checkToken(secret string) error {
	switch {
	case secret == "":
		return errors.New("the token is empty: copy it from /v1/mgmt/token on the BOSS host")
	case isPlaceholder(secret):
		return errors.New("the token is still a placeholder: copy yours from /v1/mgmt/token on the BOSS host")
	case strings.ContainsAny(secret, " \t\r\n\v\f"):
		return errors.New("the token contains white space: it is one word, on one line")
	case !tokenPattern.MatchString(secret):
		return errors.New("the token contains a character that no token has")
	}
	return nil
}

// isPlaceholder recognises what examples of access files hold. The words are
// looked for in short texts only, so that chance does not find them: BOSS's own
// tokens are 40 hexadecimal digits, which have no letter of them.
func isPlaceholder(secret string) bool {
	s := strings.ToLower(secret)
	if strings.ContainsAny(s, "<>") || strings.Trim(s, s[:1]) == "" {
		return true
	}
	if len(s) > 64 {
		return false
	}
	for _, word := range []string{"your", "token", "xxx", "change", "insert"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// isLoopback reports whether host, perhaps with a port, is this machine.
func isLoopback(host string) bool {
	u, err := url.Parse("//" + host)
	if err != nil {
		return false
	}
	if name := strings.ToLower(u.Hostname()); name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}
