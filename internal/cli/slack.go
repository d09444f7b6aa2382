package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/slack"
)

var (
	_ listener        = (*slack.Notifier)(nil)
	_ slack.Messenger = (*slack.Client)(nil)
)

// slackTokenFile is where the Slack token is looked for, as the Python tool did.
const slackTokenFile = "slack_token"

// slackFlags are the flags that say whom to tell on Slack. Without any, nobody.
type slackFlags struct {
	flags       *pflag.FlagSet
	tokenFile   string
	channel     string
	user        string
	webhookFile string
	apiURL      string
}

func (f *slackFlags) bind(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.tokenFile, "slack-token-file", slackTokenFile, "a file whose first line is the token of a Slack app")
	flags.StringVar(&f.channel, "slack-channel", "", "Slack channel to tell of trouble and of the end: its ID, or #name")
	flags.StringVar(&f.user, "slack-usr", "", "person to tell instead: member ID, or e-mail address")
	flags.StringVar(&f.webhookFile, "slack-webhook-file", "", "a file whose first line is the URL of a Slack webhook, instead of a token; it carries no log")
	flags.StringVar(&f.apiURL, "slack-api-url", "", "address of the Slack API, for tests")
	flags.MarkHidden("slack-api-url")
}

// wanted reports whether anybody is to be told. A token file alone names nobody.
func (f *slackFlags) wanted() bool { return f.webhookFile != "" || f.channel != "" || f.user != "" }

// check lists what is wrong with the flags. It opens nothing.
func (f *slackFlags) check() error {
	var p problems
	if f.webhookFile != "" {
		for _, name := range []string{"slack-token-file", "slack-channel", "slack-usr"} {
			if f.flags.Changed(name) {
				p.add("--slack-webhook-file excludes --%s: a webhook has a channel of its own and needs no token", name)
			}
		}
		return errors.Join(p...)
	}
	if f.channel != "" && f.user != "" {
		p.add("--slack-channel and --slack-usr exclude each other")
	}
	if _, err := f.address(); err != nil {
		p = append(p, err)
	}
	return errors.Join(p...)
}

// address is whom the flags name.
func (f *slackFlags) address() (to slack.Address, err error) {
	if f.channel != "" {
		if to, err = slack.ParseChannel(f.channel); err != nil {
			return to, fmt.Errorf("--slack-channel %q: %w", f.channel, err)
		}
	}
	if f.user != "" {
		if to, err = slack.ParseUser(f.user); err != nil {
			return to, fmt.Errorf("--slack-usr %q: %w", f.user, err)
		}
	}
	return to, nil
}

// slackClient reads the secret and gives the client that speaks to whom the flags
// name; nil if they name nobody. It asks nothing of Slack: an ingest does not wait
// for it.
func (a *app) slackClient(f *slackFlags) (*slack.Client, error) {
	if !f.wanted() {
		if f.flags.Changed("slack-token-file") {
			a.warn("nobody is told on Slack: --slack-token-file needs --slack-channel or --slack-usr")
		}
		return nil, nil
	}
	access, err := f.access()
	if err != nil {
		return nil, err
	}
	to, err := f.address()
	if err != nil {
		return nil, err
	}
	if access.Warning != "" {
		a.warn("%s", access.Warning)
	}
	return slack.New(access, to, slack.Options{APIURL: f.apiURL})
}

// slackOrNobody is the client for an ingest, which no mistake about Slack stops:
// the person is warned, and nobody is told.
func (a *app) slackOrNobody(f *slackFlags) *slack.Client {
	err := f.check()
	var client *slack.Client
	if err == nil {
		client, err = a.slackClient(f)
	}
	if err != nil {
		a.warn("nobody is told on Slack: %v", err)
		return nil
	}
	return client
}

func (f *slackFlags) access() (slack.Access, error) {
	if f.webhookFile != "" {
		return slack.ReadWebhook(f.webhookFile)
	}
	access, err := slack.ReadToken(f.tokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = withHint(err, "--slack-token-file names the file with the app's token; without --slack-channel and --slack-usr nobody is told on Slack")
	}
	return access, err
}

// notifier starts telling of one run; with a nil client it is one that is silent.
// Logf writes a line of the log whose path is log.
func (a *app) notifier(client *slack.Client, title, log string, logf func(format string, args ...any) error) *slack.Notifier {
	if client == nil {
		return nil
	}
	return slack.Start(client, slack.About{Title: title, Log: log, Report: func(format string, args ...any) {
		logf(format, args...) // a log that fails ends the run elsewhere
	}})
}

// forSlack is what became of j, with the error that its run ended with, or nil:
// then o says whether all is done.
func (o *outcome) forSlack(j *job.Job, server string, err error) slack.Summary {
	if err == nil {
		err = o.err()
	}
	return slack.Summary{
		Err:    err,
		Posted: o.Posted, Empty: o.Empty, Failed: o.Failed, Missing: o.Missing,
		Bytes: o.Bytes, Took: o.took,
		Verdict: o.verdict(j), Link: neuroglancer(server, j),
	}
}

func (a *app) newSlackTestCmd() *cobra.Command {
	f := new(slackFlags)
	cmd := &cobra.Command{
		Use:   "slack-test [flags]",
		Short: "Send a message to Slack, and say what is missing",
		Long: `Slack-test sends one message to Slack, and with a token also a small file, the way
an ingest with the same flags does. It says what is missing and what to do.

` + exitHelp,
		Example: `  ndpush slack-test --slack-channel '#ingests'
  ndpush slack-test --slack-usr somebody@example.org --slack-token-file ~/.slack_token
  ndpush slack-test --slack-webhook-file webhook`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runSlackTest(ctx, f) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.bind(flags)
	return cmd
}

func (a *app) runSlackTest(ctx context.Context, f *slackFlags) error {
	err := f.check()
	if !f.wanted() {
		err = errors.Join(err, errors.New("nobody is named: give --slack-channel, --slack-usr or --slack-webhook-file"))
	}
	if err != nil {
		return usage(err)
	}
	client, err := a.slackClient(f)
	if err != nil {
		return err
	}
	return a.trySlack(ctx, client)
}

// trySlack does all that an ingest does with Slack.
func (a *app) trySlack(ctx context.Context, client *slack.Client) error {
	id, err := client.Identify(ctx)
	switch {
	case err == nil:
		fmt.Fprintf(a.Stdout, "the token is %s's in the workspace %s\n", id.User, id.Team)
	case !errors.Is(err, errors.ErrUnsupported):
		return err
	}
	if err := client.Send(ctx, "ndpush slack-test: this is how an ingest tells of trouble and of its end"); err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "a message was sent to %v\n", client.To())
	err = client.Upload(ctx, "slack-test.txt", "ndpush slack-test: an ingest sends the end of its log like this\n")
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Fprintln(a.Stdout, "a webhook carries no file: the log stays on this machine")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Stdout, "a file was sent")
	return nil
}
