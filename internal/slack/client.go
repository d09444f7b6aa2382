package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
)

// Options of a Client. The zero value is Slack itself.
type Options struct {
	APIURL    string            // of the methods; default https://slack.com/api/
	Transport http.RoundTripper // default a plain one that asks the environment for a proxy
}

// A Client speaks to one channel or person. It is safe for concurrent use.
type Client struct {
	access Access
	to     Address
	http   *http.Client
	api    *slackapi.Client

	mu      sync.Mutex
	channel string // the ID, once it is known
}

// New returns a client that speaks to a channel or person; through a webhook
// always to the webhook's channel, and to must be zero.
func New(access Access, to Address, o Options) (*Client, error) {
	switch {
	case access.Webhook && to != Address{}:
		return nil, errors.New("slack: a webhook has a channel of its own and speaks to no other")
	case !access.Webhook && to == Address{}:
		return nil, errors.New("slack: nobody is named to speak to")
	}
	if o.APIURL == "" {
		o.APIURL = slackapi.APIURL
	}
	u, err := url.Parse(o.APIURL)
	if err != nil || u.Host == "" || !private(u) {
		return nil, fmt.Errorf("slack: API address %q: want one that begins with https://", o.APIURL)
	}
	c := &Client{access: access, to: to, http: newHTTP(o.Transport)}
	if channelID.MatchString(to.channel) {
		c.channel = to.channel
	}
	if access.Webhook {
		c.http.Transport = refusing{c.http.Transport}
	} else {
		c.api = slackapi.New(access.Secret.reveal(), slackapi.OptionHTTPClient(c.http), slackapi.OptionAPIURL(strings.TrimSuffix(o.APIURL, "/")+"/"))
	}
	return c, nil
}

// newHTTP follows no redirect, which would carry the token elsewhere, and keeps
// no connection: the next message is a minute away.
func newHTTP(transport http.RoundTripper) *http.Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DisableKeepAlives = true
		transport = t
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// String says who speaks to whom, without the secret.
func (c *Client) String() string { return fmt.Sprintf("Slack: %v (from %s)", c.to, c.access.From) }

// To is the channel or person that is spoken to.
func (c *Client) To() Address { return c.to }

// An Identity is whose the token is.
type Identity struct{ User, Team string }

// Identify asks Slack whose the token is. A webhook cannot be asked:
// [errors.ErrUnsupported].
func (c *Client) Identify(ctx context.Context) (Identity, error) {
	if c.access.Webhook {
		return Identity{}, errors.ErrUnsupported
	}
	var id Identity
	err := c.call(ctx, "auth.test", func(ctx context.Context) error {
		answer, err := c.api.AuthTestContext(ctx)
		if err == nil && answer.UserID == "" {
			err = errNotSlack
		}
		if err == nil {
			id = Identity{User: answer.User, Team: answer.Team}
		}
		return err
	})
	return id, err
}

// Send sends a message in Slack's markup, see [Escape]. It waits as Slack asks it
// to, and tries again what may pass, as long as ctx allows.
func (c *Client) Send(ctx context.Context, text string) error {
	text = c.access.Secret.censor(text)
	if c.access.Webhook {
		return c.call(ctx, webhook, func(ctx context.Context) error {
			off := false
			return slackapi.PostWebhookCustomHTTPContext(ctx, c.access.Secret.reveal(), c.http,
				&slackapi.WebhookMessage{Text: text, UnfurlLinks: &off})
		})
	}
	to, err := c.open(ctx)
	if err != nil {
		return err
	}
	return c.call(ctx, "chat.postMessage", func(ctx context.Context) error {
		id, _, err := c.api.PostMessageContext(ctx, to, slackapi.MsgOptionText(text, false), slackapi.MsgOptionDisableLinkUnfurl())
		if err == nil && id == "" {
			err = errNotSlack
		}
		if err == nil {
			c.remember(id)
		}
		return err
	})
}

// Upload sends a file; one without bytes is not sent, because Slack refuses it.
// A webhook cannot carry any: [errors.ErrUnsupported].
//
// Slack takes files for channels by ID only. The ID of a channel that was given by
// name is known after the first message.
func (c *Client) Upload(ctx context.Context, name, text string) error {
	if c.access.Webhook {
		return errors.ErrUnsupported
	}
	if text == "" {
		return nil
	}
	if _, err := c.open(ctx); err != nil {
		return err
	}
	to := c.known()
	if to == "" {
		return fmt.Errorf("slack: a file cannot be sent to %v by name before a message was", c.to)
	}
	text = c.access.Secret.censor(text)
	return c.call(ctx, upload, func(ctx context.Context) error {
		_, err := c.api.UploadFileContext(ctx, slackapi.UploadFileParameters{
			Filename: name, Title: name, Content: text, FileSize: len(text), Channel: to,
		})
		return err
	})
}

// open is where to send a message: an ID or the name of a channel.
func (c *Client) open(ctx context.Context) (string, error) {
	if id := c.known(); id != "" {
		return id, nil
	}
	if c.to.channel != "" {
		return "#" + c.to.channel, nil
	}
	user, err := c.lookUp(ctx)
	if err != nil {
		return "", err
	}
	var id string
	err = c.call(ctx, "conversations.open", func(ctx context.Context) error {
		ch, _, _, err := c.api.OpenConversationContext(ctx, &slackapi.OpenConversationParameters{Users: []string{user}})
		if err == nil && (ch == nil || ch.ID == "") {
			err = errNotSlack
		}
		if err == nil {
			id = ch.ID
			c.remember(id)
		}
		return err
	})
	return id, err
}

// lookUp is the ID of the person to speak to.
func (c *Client) lookUp(ctx context.Context) (id string, err error) {
	if c.to.user != "" {
		return c.to.user, nil
	}
	err = c.call(ctx, "users.lookupByEmail", func(ctx context.Context) error {
		user, err := c.api.GetUserByEmailContext(ctx, c.to.email)
		if err == nil && user.ID == "" {
			err = errNotSlack
		}
		if err == nil {
			id = user.ID
		}
		return err
	})
	return id, err
}

func (c *Client) known() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channel
}

func (c *Client) remember(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channel = id
}

// A request that was not answered by then will not be; one that failed for a
// reason that may pass is tried again.
const (
	patience = 10 * time.Second
	attempts = 4
)

// call does one request, with patience, and explains its error.
func (c *Client) call(ctx context.Context, method string, do func(context.Context) error) error {
	var last *Error
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, method, do)
		switch {
		case err == nil:
			return nil
		case last != nil && ctx.Err() != nil:
			return last // that ctx ended says less
		}
		wait, again := err.pause(attempt)
		if !again || attempt == attempts || !sleep(ctx, wait) {
			return err
		}
		last = err
	}
}

func (c *Client) once(ctx context.Context, method string, do func(context.Context) error) *Error {
	one, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := do(one); err != nil {
		return c.explain(ctx, method, err)
	}
	return nil
}

// sleep reports whether the wait is over before ctx; it does not begin one that
// ctx cannot see the end of.
func sleep(ctx context.Context, wait time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
