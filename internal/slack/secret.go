package slack

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// redacted is what is seen of a secret.
const redacted = "[secret]"

// A Secret is a token or the URL of a webhook. However it is printed, it shows as
// [secret]; nothing outside this package can read it. The zero Secret is none.
//
// The text lies behind a pointer because fmt prints the unexported fields of a
// value without asking its methods, but does not follow a pointer there.
type Secret struct{ text *string }

// NewSecret makes a Secret of text.
func NewSecret(text string) Secret { return Secret{&text} }

// String is [secret].
func (Secret) String() string { return redacted }

// Format writes [secret], whatever the verb and the flags.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText gives [secret], to JSON as well.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue gives [secret].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// censor hides the secret in a text that came from elsewhere or goes there.
func (s Secret) censor(text string) string {
	if secret := s.reveal(); secret != "" {
		return strings.ReplaceAll(text, secret, redacted)
	}
	return text
}
