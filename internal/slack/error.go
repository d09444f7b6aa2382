package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"
)

// What is no method of Slack's, or several.
const (
	webhook = "webhook"
	upload  = "sending a file"
)

// An Error says in one sentence why Slack did not take something, and what to do.
// It never shows the secret.
type Error struct {
	Method   string // chat.postMessage, or what was done
	Code     string // Slack's word, like missing_scope, or ""
	Status   int    // of HTTP, if that was not 200
	Needed   string // scopes, for missing_scope
	Provided string

	to      Address
	after   time.Duration // how long Slack wants to be left alone
	cause   error         // none of Slack's: the network's, or the context's
	passing bool          // the cause may be gone soon
}

// errNotSlack is an answer that Slack does not give.
var errNotSlack = errors.New("the answer is not one of Slack's: is there a proxy in between?")

// explain makes an Error of what slack-go returns, without any URL.
func (c *Client) explain(ctx context.Context, method string, err error) *Error {
	e := &Error{Method: method, to: c.to}
	var (
		answer  slackapi.SlackErrorResponse
		limited *slackapi.RateLimitedError
		status  slackapi.StatusCodeError
		refused *refusal
		number  *strconv.NumError // of Retry-After
	)
	switch {
	case ctx.Err() != nil:
		e.cause = ctx.Err()
	case errors.As(err, &answer):
		e.Code, e.Needed, e.Provided = short(answer.Err), short(answer.Needed), short(answer.Provided)
	case errors.As(err, &limited):
		e.Code, e.Status, e.after = "ratelimited", http.StatusTooManyRequests, limited.RetryAfter
	case errors.As(err, &number):
		e.Status = http.StatusTooManyRequests
	case errors.As(err, &status):
		e.Status = status.Code
	case errors.As(err, &refused):
		e.Status, e.Code = refused.status, short(refused.text)
	default:
		e.cause, e.passing = c.cause(err)
	}
	e.Code, e.Needed, e.Provided = c.access.Secret.censor(e.Code), c.access.Secret.censor(e.Needed), c.access.Secret.censor(e.Provided)
	return e
}

// cause is what the network or the reading of the answer says, and whether it may
// be gone soon.
func (c *Client) cause(err error) (cause error, passing bool) {
	var (
		located *url.Error
		syntax  *json.SyntaxError
		kind    *json.UnmarshalTypeError
		timeout net.Error
	)
	if passing = errors.As(err, &located); passing {
		err = located.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer within %v", patience), true
	case errors.As(err, &syntax), errors.As(err, &kind), !passing && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return errNotSlack, false
	}
	if text := hideURLs(c.access.Secret.censor(err.Error())); text != err.Error() {
		return errors.New(text), passing
	}
	return err, passing
}

// path is what follows the host in a URL, where a secret can be.
var path = regexp.MustCompile(`(https?://[^/\s"]+)/[^\s"]*`)

func hideURLs(text string) string { return path.ReplaceAllString(text, "$1/…") }

// Unwrap gives the network's error or the context's.
func (e *Error) Unwrap() error { return e.cause }

// Error is one sentence, or two.
func (e *Error) Error() string { return "slack: " + e.sentence() }

func (e *Error) sentence() string {
	if errors.Is(e.cause, context.DeadlineExceeded) {
		return e.Method + ": no answer in time"
	}
	if e.cause != nil {
		return fmt.Sprintf("%s: %v", e.Method, e.cause)
	}
	if e.Code == "missing_scope" {
		return e.scopes()
	}
	if s := sentences[e.Code]; s != "" {
		return strings.ReplaceAll(s, "TO", e.to.String())
	}
	switch {
	case e.after > 0:
		return fmt.Sprintf("%s: too many messages, Slack wants to be left alone for %v", e.Method, e.after)
	case e.Method == webhook && (e.Status == http.StatusNotFound || e.Status == http.StatusGone):
		return sentences["no_service"]
	case e.Code == "" && e.Status != 0:
		return fmt.Sprintf("%s: HTTP status %d %s", e.Method, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s was refused: %s", e.Method, e.Code)
}

const reinstall = `under "OAuth & Permissions" of the app at https://api.slack.com/apps, and reinstall the app to the workspace`

func (e *Error) scopes() string {
	needed := e.Needed
	if needed == "" {
		needed = "that " + e.Method + " needs"
	}
	has := ""
	if e.Provided != "" {
		has = " (it has " + e.Provided + ")"
	}
	return fmt.Sprintf("the token lacks the scope %s%s: add it %s", needed, has, reinstall)
}

// sentences explain Slack's words. TO is whom a message was for.
var sentences = map[string]string{
	"invalid_auth":           "the token is not valid: copy the Bot User OAuth Token, which begins with xoxb-, from the app's page at https://api.slack.com/apps",
	"not_authed":             "the token is not valid: copy the Bot User OAuth Token, which begins with xoxb-, from the app's page at https://api.slack.com/apps",
	"account_inactive":       "the app was removed from the workspace, or its user was: install the app again, and use the new token",
	"token_revoked":          "the token was revoked: install the app again, and use the new token",
	"token_expired":          "the token has expired: switch off token rotation for the app, install it again, and use the new token",
	"not_allowed_token_type": "this kind of token may not do this: use the Bot User OAuth Token, which begins with xoxb-",
	"not_in_channel":         "the app is not in TO: write /invite @ and the app's name there, or add the scope chat:write.public, which is enough for messages in public channels",
	"channel_not_found":      "TO is not there or cannot be seen by the app: look at the name or the ID and, if the channel is private, write /invite @ and the app's name there",
	"is_archived":            "TO is archived: choose another channel",
	"channel_is_archived":    "the webhook's channel is archived: make a new webhook for another channel",
	"user_not_found":         "nobody in the workspace is TO: look at the member ID",
	"users_not_found":        "nobody in the workspace has the e-mail address TO: use the member ID, in the person's profile under ⋮",
	"user_disabled":          "TO is no longer active in the workspace: choose somebody else",
	"cannot_dm_bot":          "TO is an app: choose a person",
	"restricted_action":      "the workspace does not let the app write to TO: ask who manages the workspace",
	"action_prohibited":      "the workspace does not let the webhook write to its channel: ask who manages the workspace",
	"file_uploads_disabled":  "the workspace takes no files: ask who manages it",
	"no_service":             "the webhook was removed or has expired: make a new one under Incoming Webhooks of the app at https://api.slack.com/apps",
	"no_active_hooks":        "the webhook was switched off: make a new one under Incoming Webhooks of the app at https://api.slack.com/apps",
	"no_team":                "the webhook's workspace is gone: make a new webhook",
	"team_disabled":          "the webhook's workspace is gone: make a new webhook",
	"invalid_token":          "the webhook's URL is not complete, or no longer valid: copy it again from Incoming Webhooks of the app at https://api.slack.com/apps",
}

// pause is how long to wait before another attempt; again is false if that
// would be in vain.
func (e *Error) pause(attempt int) (wait time.Duration, again bool) {
	switch {
	case e.after > 0:
		return e.after, true
	case e.passing, e.Status >= 500, e.Status == http.StatusTooManyRequests:
		return time.Duration(attempt) * time.Second, true
	}
	switch e.Code {
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited":
		return time.Duration(attempt) * time.Second, true
	}
	return 0, false
}

// A refusal is what a webhook answers. slack-go would drop the text.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// refusing makes errors of a webhook's refusals.
type refusing struct{ next http.RoundTripper }

func (t refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusTooManyRequests {
		return resp, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return nil, &refusal{resp.StatusCode, word.FindString(string(text))}
}

// word is an answer that is one of Slack's words and not some page.
var word = regexp.MustCompile(`^[a-z_]{1,60}$`)
