package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// results are all that was measured, as --json writes it.
type results struct {
	Setting setting `json:"setting"`
	Rows    []*row  `json:"rows"`
}

// A setting is where, and of what, results are.
type setting struct {
	Commit      string `json:"commit"` // with a + if files were changed since
	Go          string `json:"go"`
	System      string `json:"system"`
	Cores       int    `json:"cores"`
	Processor   string `json:"processor"`
	Rate        string `json:"rate,omitempty"`
	Compression string `json:"compression,omitempty"`
}

// A row is what was measured of one kind of stacks.
type row struct {
	Name    string         `json:"name"`
	Side    int            `json:"side"`
	Slices  int            `json:"slices"`
	Voxels  int64          `json:"voxel_bytes"`
	Cuboids int64          `json:"cuboids"` // that are not empty
	Runs    []*measurement `json:"runs"`
	Parts   []parts        `json:"parts,omitempty"`
	Error   string         `json:"error,omitempty"`
}

func (r *rig) setting(ctx context.Context) setting {
	return setting{
		Commit: commit(ctx), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.NumCPU(), Processor: processor(), Rate: r.rate, Compression: r.compression,
	}
}

// commit is the one that is checked out, or "" where git knows of none.
func commit(ctx context.Context) string {
	id, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return ""
	}
	text := strings.TrimSpace(string(id))
	if changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output(); err != nil || len(changed) > 0 {
		text += "+"
	}
	return text
}

var modelPattern = regexp.MustCompile(`(?m)^model name\s*: (.*)$`)

// processor is the name of the processor, or "" where Linux does not tell.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if m := modelPattern.FindSubmatch(text); err == nil && m != nil {
		return string(m[1])
	}
	return ""
}

// finish prints the results, writes them, and compares them with those before,
// which may be nil. Rows that failed are an error.
func (r *results) finish(o *options, before *results, stdout io.Writer) error {
	r.print(stdout)
	if before != nil {
		r.compare(before, stdout)
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o666); err != nil {
			return err
		}
	}
	var failed []error
	for _, row := range r.Rows {
		if row.Error != "" {
			failed = append(failed, fmt.Errorf("%s: %s", row.Name, row.Error))
		}
	}
	return errors.Join(failed...)
}

// median is that of what f says of the runs, 0 of none.
func median[T any](runs []T, f func(T) float64) float64 {
	if len(runs) == 0 {
		return 0
	}
	values := make([]float64, len(runs))
	for i, m := range runs {
		values[i] = f(m)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func (r *row) wall() float64 { return median(r.Runs, func(m *measurement) float64 { return m.Wall }) }
func (r *row) cpu() float64  { return median(r.Runs, func(m *measurement) float64 { return m.CPU }) }
func (r *row) bossCPU() float64 {
	return median(r.Runs, func(m *measurement) float64 { return m.BossCPU })
}
func (r *row) cores() float64 {
	return median(r.Runs, func(m *measurement) float64 { return m.CPU / m.Wall })
}
func (r *row) peak() float64 {
	return median(r.Runs, func(m *measurement) float64 { return float64(m.Peak) })
}
func (r *row) stated() float64 {
	return median(r.Runs, func(m *measurement) float64 { return float64(m.Stated) })
}
func (r *row) sent() float64 {
	return median(r.Runs, func(m *measurement) float64 { return float64(m.Counts.Bytes) })
}

// speed is in MB of voxels a second, work in the processors' seconds for a GB of them.
func (r *row) speed() float64 { return float64(r.Voxels) / 1e6 / r.wall() }
func (r *row) work() float64  { return r.cpu() / (float64(r.Voxels) / 1e9) }

// together is how much more time of the processors an ingest takes than its parts do alone.
func (r *row) together() float64 { return r.cpu() / median(r.Parts, parts.sum) }

func (r *results) print(w io.Writer) {
	s := r.Setting
	fmt.Fprintf(w, "commit %s, %s %s, %d × %s", s.Commit, s.Go, s.System, s.Cores, s.Processor)
	for _, more := range []string{s.Rate, s.Compression} {
		if more != "" {
			fmt.Fprintf(w, ", %s", more)
		}
	}
	fmt.Fprint(w, "\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stack\tslices\tvoxels MB\tMB/s\tCPU s/GB\tcores\tpeak MiB\tstated\tpeak/stated\tsent MB\tvoxels/sent\tBOSS cores\t")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%d×%d²\t%.0f\t", row.Name, row.Slices, row.Side, float64(row.Voxels)/1e6)
		if row.Error != "" {
			fmt.Fprint(t, "error\t\n")
			continue
		}
		fmt.Fprintf(t, "%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%.2f\t%.0f\t%.2f\t%.2f\t\n",
			row.speed(), row.work(), row.cores(), row.peak()/(1<<20), row.stated()/(1<<20), row.peak()/row.stated(),
			row.sent()/1e6, float64(row.Voxels)/row.sent(), row.bossCPU()/row.wall())
	}
	t.Flush()
	for _, row := range r.Rows {
		row.printParts(w)
	}
}

func (r *row) printParts(w io.Writer) {
	if r.Error != "" || len(r.Parts) == 0 {
		return
	}
	part := func(f func(parts) float64) float64 { return median(r.Parts, f) }
	fmt.Fprintf(w, "\n%s alone: read %.2f s, compress %.2f s, post %.2f s of the processors: %.2f s; ingest %.2f s: %.2f times the sum of its parts\n",
		r.Name, part(func(p parts) float64 { return p.Read }), part(func(p parts) float64 { return p.Compress }),
		part(func(p parts) float64 { return p.Post }), part(parts.sum), r.cpu(), r.together())
}

// compare prints what became of the rows since before: values as a part of those before.
func (r *results) compare(before *results, w io.Writer) {
	fmt.Fprintf(w, "\nas a part of %s:\n", before.Setting.Commit)
	was, is := before.Setting, r.Setting
	was.Commit, is.Commit = "", ""
	if was != is {
		fmt.Fprintf(w, "NOT measured alike: %+v, now %+v\n", was, is)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stack\tMB/s\tCPU\tpeak\tsent\t")
	for _, now := range r.Rows {
		i := slices.IndexFunc(before.Rows, func(old *row) bool {
			return old.Name == now.Name && old.Side == now.Side && old.Slices == now.Slices && old.Error == ""
		})
		if i < 0 || now.Error != "" {
			fmt.Fprintf(t, "%s\t-\t-\t-\t-\t\n", now.Name)
			continue
		}
		old := before.Rows[i]
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t\n", now.Name,
			now.speed()/old.speed(), now.work()/old.work(), now.peak()/old.peak(), now.sent()/old.sent())
	}
	t.Flush()
}
