package script

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/neurodata/ndpush/internal/human"
)

//go:embed template
var templateFiles embed.FS

// templates are the scripts. They take a view; nothing is quoted by itself, so
// what comes from outside goes through sh, ps or yaml.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"sh":      shWord,
	"command": shWords,
	"ps":      psString,
	"line":    windowsWords,
	"yaml":    yamlString,
	"dollars": kubernetesWord,
	"comment": comment,
}).ParseFS(templateFiles, "template/*"))

// A view is work as the templates see it.
type view struct {
	Work
	Job    string // its name, safe everywhere
	Engine string // what is particular to the engine, where a template serves two
}

func newView(w Work) *view { return &view{Work: w, Job: safeName(w.Name)} }

// render makes files of pairs of a suffix, such as -shares.yaml, and a template.
// The first is the one to run.
func render(job string, data any, pairs ...[2]string) ([]File, error) {
	var list []File
	for i, p := range pairs {
		var b strings.Builder
		if err := templates.ExecuteTemplate(&b, p[1], data); err != nil {
			return nil, fmt.Errorf("write %s%s: %w", job, p[0], err)
		}
		mode := uint32(0o644)
		if i == 0 {
			mode = 0o755
		}
		list = append(list, File{Name: job + p[0], Mode: mode, Text: b.String()})
	}
	return list, nil
}

// MiB is the memory to ask an engine for: an eighth more than a process is said
// to take, because an engine kills who takes more, and counts what the kernel
// holds for it too.
func (v *view) MiB() int64 {
	const mib = 1 << 20
	return (v.Memory + v.Memory/8 + mib - 1) / mib
}

// Cores is at least one.
func (v *view) Cores() int { return max(1, v.CPUs) }

// Parallel is how many shares run at one time.
func (v *view) Parallel() int {
	if v.AtOnce > 0 {
		return min(v.AtOnce, v.Shares)
	}
	return v.Shares
}

// Throttle is what job arrays call it: %P, or nothing for all.
func (v *view) Throttle() string {
	if p := v.Parallel(); p < v.Shares {
		return fmt.Sprintf("%%%d", p)
	}
	return ""
}

// Numbers are those of the shares, from 1.
func (v *view) Numbers() []int {
	list := make([]int, v.Shares)
	for i := range list {
		list[i] = i + 1
	}
	return list
}

// One is the command of a share without an index, K from 1.
func (v *view) One(k int) []string {
	return append(v.Share[:len(v.Share):len(v.Share)], "--shard", fmt.Sprintf("%d/%d", k, v.Shares))
}

// HasAfter says whether there is anything to do after the shares.
func (v *view) HasAfter() bool { return len(v.Status)+len(v.Verify) > 0 }

// Count says how many shares there are.
func (v *view) Count() string { return human.Count(v.Shares, "share") }

// minutes is a time in full minutes, at least least.
func minutes(d, least time.Duration) int64 {
	return int64((max(d, least) + time.Minute - 1) / time.Minute)
}
