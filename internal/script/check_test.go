package script

import (
	"strings"
	"testing"
)

// What cannot be written is said in a sentence.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, format string
		spoil        func(*Work)
		want         string
	}{
		{"format", "pbs", func(*Work) {}, "choose one of shell, powershell, parallel, slurm, lsf, kubernetes, aws-batch"},
		{"no share", "shell", func(w *Work) { w.Share = nil }, "no command for a share"},
		{"no program", "shell", func(w *Work) { w.Verify = []string{""} }, "no program"},
		{"empty command", "lsf", func(w *Work) { w.Status = []string{} }, "no program"},
		{"no shares", "slurm", func(w *Work) { w.Shares = 0 }, "0 shares"},
		{"memory", "slurm", func(w *Work) { w.Memory = -1 }, "below 0"},
		{"much memory", "slurm", func(w *Work) { w.Memory = 1 << 62 }, "more than any machine"},
		{"relative", "shell", func(w *Work) { w.Dir = "data" }, "not an absolute path"},
		{"zero byte", "parallel", func(w *Work) { w.Share = append(w.Share, "a\x00b") }, "not text"},
		{"not UTF-8", "kubernetes", func(w *Work) { w.Share = append(w.Share, "a\xffb") }, "not text"},
		{"image", "kubernetes", func(w *Work) { w.Image = "a\nRUN rm" }, "container image"},
		{"root", "kubernetes", func(w *Work) { w.Dir = "/" }, "cannot work in"},
		{"home", "aws-batch", func(w *Work) { w.Dir = "/home" }, "cannot work in"},
		{"certificates", "aws-batch", func(w *Work) { w.Dir = "/etc/ssl/" }, "cannot work in"},
		{"drive", "kubernetes", func(w *Work) { w.Dir = `C:\data` }, "cannot work in"},
		{"pattern", "slurm", func(w *Work) { w.Dir = "/data/100%" }, "slurm cannot work in"},
		{"array", "aws-batch", func(w *Work) { w.Shares = 10_001 }, "at most 10000"},
	} {
		w := ordinary()
		tt.spoil(&w)
		files, err := Write(tt.format, w)
		if err == nil || !strings.Contains(err.Error(), tt.want) || files != nil {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A job may have shares alone, in any format.
func TestSharesAlone(t *testing.T) {
	for _, format := range Formats() {
		files, err := Write(format, Work{Share: []string{"ndpush", "share"}, Shares: 2})
		if err != nil {
			t.Errorf("%s: %v", format, err)
		}
		for _, f := range files {
			for _, word := range []string{"verify", "create", "<no value>", "{{", "after"} {
				if strings.Contains(f.Text, "ndpush "+word) || strings.Contains(f.Text, "ndpush-"+word) {
					t.Errorf("%s has %q, which there is none of:\n%s", f.Name, word, f.Text)
				}
			}
		}
	}
}

// The work that is written is left as it was.
func TestOwned(t *testing.T) {
	w := ordinary()
	w.Share = append(make([]string, 0, 99), w.Share...)
	for _, format := range Formats() {
		if _, err := Write(format, w); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Share[:len(w.Share)+1]; got[len(w.Share)] != "" {
		t.Errorf("behind the command of a share is %q now", got[len(w.Share)])
	}
}
