package boss

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what is seen of a token.
const redacted = "[token]"

// A Token proves to BOSS who asks. However it is printed, it shows as [token]:
// under every verb of fmt, in JSON and in slog, also inside another value.
// Nothing outside this package can read it. The zero Token is none.
//
// The secret lies behind a pointer because fmt prints the unexported fields of
// a value without asking its methods, but does not follow a pointer there.
type Token struct{ secret *string }

// NewToken makes a Token of what BOSS shows on its token page.
func NewToken(secret string) Token { return Token{&secret} }

// String is [token].
func (Token) String() string { return redacted }

// Format writes [token], whatever the verb and the flags.
func (Token) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives [token], to JSON as well.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [token].
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

func (t Token) reveal() string {
	if t.secret == nil {
		return ""
	}
	return *t.secret
}

// censor hides the token in a text that came from elsewhere. The shared token
// of the public is no secret, and a word that is needed.
func (t Token) censor(text string) string {
	if s := t.reveal(); s != "" && s != "public" {
		return strings.ReplaceAll(text, s, redacted)
	}
	return text
}
