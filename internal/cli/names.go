package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
)

// namesIn are the names of what BOSS has in parents: collections in none,
// experiments in a collection, channels in an experiment.
func namesIn(ctx context.Context, c *boss.Client, parents ...string) ([]string, error) {
	if slices.Contains(parents, "") {
		return nil, nil // it has no address
	}
	switch len(parents) {
	case 0:
		return c.Collections(ctx)
	case 1:
		collection, err := c.Collection(ctx, parents[0])
		return collection.Experiments, err
	}
	experiment, err := c.Experiment(ctx, parents[0], parents[1])
	return experiment.Channels, err
}

// similar names what BOSS has that is like the first name of j's that it does not
// have, or is "". Whoever asks has an error already, so another one is none.
func similar(ctx context.Context, c *boss.Client, j *job.Job) string {
	var parents []string
	for _, name := range []string{j.Collection, j.Experiment, j.Channel} {
		names, err := namesIn(ctx, c, parents...)
		if err != nil {
			return ""
		}
		if !slices.Contains(names, name) {
			return nearest(name, names)
		}
		parents = append(parents, name)
	}
	return ""
}

// completionTime is how long a person who pressed Tab waits for BOSS.
const completionTime = 3 * time.Second

// completeNames lets a shell complete names by those that BOSS has.
func (a *app) completeNames(cmd *cobra.Command, f *jobFlags, b *bossFlags) {
	complete := func(parents func() []string) cobra.CompletionFunc {
		return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			if cmd.PreRunE != nil {
				cmd.PreRunE(cmd, nil) // a job file may say which collection; what is wrong in it shows when the command is run
			}
			return a.namesAt(cmd.Context(), b, parents()), cobra.ShellCompDirectiveNoFileComp
		}
	}
	s := &f.spec
	for name, parents := range map[string]func() []string{
		"collection":     func() []string { return nil },
		"experiment":     func() []string { return []string{s.Collection} },
		"channel":        func() []string { return []string{s.Collection, s.Experiment} },
		"source-channel": func() []string { return []string{s.Collection, s.Experiment} },
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete(parents)); err != nil {
			panic(err) // the command has no such flag
		}
	}
	completeChoices(cmd)
}

// choices are the flags of which all values are known.
var choices = map[string][]string{
	"datasource":  {"local", "s3", "render"},
	"datatype":    {"uint8", "uint16", "uint32", "uint64"},
	"missing":     {"fail", "zero", "previous"},
	"verify":      {"none", "sample", "full"},
	"voxel-unit":  job.Units(),
	"compression": {"auto", "lz4", "zstd", "none"},
}

// completeChoices lets a shell complete the values of cmd's flags that are known.
func completeChoices(cmd *cobra.Command) {
	for name, values := range choices {
		if cmd.Flags().Lookup(name) != nil {
			cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

// namesAt is namesIn for who cannot be told of an error.
func (a *app) namesAt(ctx context.Context, b *bossFlags, parents []string) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	client, err := a.briefClient(b)
	if err != nil {
		return nil
	}
	defer client.Close()
	names, _ := namesIn(ctx, client, parents...)
	return names
}
