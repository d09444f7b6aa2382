//go:build unix

package script

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// LSF gets the jobs in order, by the numbers that it gives them.
func TestLSF(t *testing.T) {
	w := story(3)
	w.AtOnce = 2
	s := newStage(t, "lsf", w)
	if got, want := s.run(0, "sh", "job.sh"), "submitted as job 102; job 103 follows: see job.lsf/after.out\n"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got, want := s.ran(), "job-create job job-after"; got != want {
		t.Errorf("submitted %q, want %q", got, want)
	}
	want := [][]string{{}, {"-J", "job[1-3]%2", "-w", "done(101)", "-ti"}, {"-w", "ended(102)"}}
	if got := s.words("bsub"); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("with %q, want %q", got, want)
	}

	// Each runs as LSF would run it.
	s.let("share2", "3")
	s.lsf(0, "job-create", "0")
	for _, index := range []string{"1", "2", "3"} {
		s.lsf(map[string]int{"2": 3}[index], "job", index)
	}
	s.lsf(3, "job-after", "0")
	if got, want := s.ran(), "create share1 share2 share3 status verify"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}

	// What failed can be submitted alone, but not while it runs.
	s.let("bjobs", "102  me  RUN  normal  a  b  job[2] Nov 22\n")
	s.run(1, "sh", "job.sh", "failed")
	s.let("bjobs", "102  me  EXIT  normal  a  b  job[2] Nov 22\n")
	s.run(0, "sh", "job.sh", "failed")
	if got, want := s.words("bsub")[4], "job[2]%2"; !slices.Contains(got, want) {
		t.Errorf("submitted again with %q, want %q", got, want)
	}
}

// lsf runs a submitted script as LSF does.
func (s *stage) lsf(want int, job, index string) {
	s.t.Helper()
	cmd := s.command("sh", filepath.Join(s.note, job+".submitted"))
	cmd.Env = append(cmd.Env, "LSB_JOBINDEX="+index)
	out, err := cmd.CombinedOutput()
	if got := statusOf(s.t, err); got != want {
		s.t.Fatalf("%s[%s] ends with %d, want %d:\n%s", job, index, got, want, out)
	}
}

// A share that BOSS does not take now ends with the status that LSF queues again,
// but not for ever.
func TestLSFRefused(t *testing.T) {
	s := newStage(t, "lsf", story(1))
	s.run(0, "sh", "job.sh")
	submitted := filepath.Join(s.note, "job.submitted")
	text, err := os.ReadFile(submitted)
	if err != nil {
		t.Fatal(err)
	}
	quick := strings.NewReplacer("sleep 900", "sleep 0", "-lt 96", "-lt 2").Replace(string(text))
	if err := os.WriteFile(submitted, []byte(quick), 0o666); err != nil {
		t.Fatal(err)
	}
	s.let("share1", "5", "5", "5")
	s.lsf(5, "job", "1")
	if _, err := os.Stat(filepath.Join(s.dir, "job.lsf", "share-1.status")); err == nil {
		t.Error("a share that is to be tried again left a status")
	}
	s.lsf(5, "job", "1")
	s.lsf(1, "job", "1")
	got, err := os.ReadFile(filepath.Join(s.dir, "job.lsf", "share-1.status"))
	if err != nil || string(got) != "5\n" {
		t.Errorf("in the end it leaves %q, want 5: %v", got, err)
	}
}

// LSF has a limit of its own for arrays.
func TestLSFLimit(t *testing.T) {
	s := newStage(t, "lsf", story(1001))
	if got, want := s.run(2, "sh", "job.sh"), "more than this cluster's MAX_JOB_ARRAY_SIZE 1000"; !strings.Contains(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// Kubernetes gets the jobs one after the other.
func TestKubernetes(t *testing.T) {
	w := story(3)
	w.Image = "ndpush:1"
	s := newStage(t, "kubernetes", w)
	s.run(0, "sh", "job.sh", "-n", "lab")
	if got, want := s.ran(), "job-create job-shares job-status job-verify"; got != want {
		t.Errorf("applied %q, want %q", got, want)
	}
	for _, words := range s.words("kubectl") {
		if !slices.Equal(words[:2], []string{"-n", "lab"}) {
			t.Errorf("kubectl is called with %q, without -n lab", words)
		}
	}

	s.let("job-shares", "FailureTarget Failed")
	got := s.run(1, "sh", "job.sh")
	if want := "counted from 0: 1-2\n"; !strings.Contains(got, want) || !strings.HasSuffix(got, "\n1\t3\n2\t1\n") {
		t.Errorf("it says %q, want %q and what each ended with", got, want)
	}
	if got, want := s.ran(), "job-create job-shares"; got != want {
		t.Errorf("after a failure applied %q, want %q", got, want)
	}
	s.run(0, "env", "AFTER=always", "sh", "job.sh")
	if got, want := s.ran(), "job-create job-shares job-status job-verify"; got != want {
		t.Errorf("nevertheless applied %q, want %q", got, want)
	}
	s.let("job-verify", "Failed")
	s.run(1, "env", "AFTER=always", "sh", "job.sh")
}

// Without an image, nothing is applied.
func TestKubernetesEdit(t *testing.T) {
	s := newStage(t, "kubernetes", story(3))
	if got := s.run(2, "sh", "job.sh"); !strings.Contains(got, "edit these lines first") {
		t.Errorf("it says %q", got)
	}
	if got := s.ran(); got != "" {
		t.Errorf("applied %q", got)
	}
}

// AWS Batch gets the jobs in order, by the numbers that it gives them.
func TestBatch(t *testing.T) {
	w := story(3)
	w.Share = append(w.Share, "K/3", "--shards", "3")
	s := newStage(t, "aws-batch", w)
	s.run(2, "sh", "job.sh", "queue") // not edited
	s.edit("job-definition.json")
	s.run(2, "sh", "job.sh")
	s.run(2, "sh", "job.sh", "queue", "failed")
	if got := s.ran(); got != "" {
		t.Fatalf("called %q too early", got)
	}
	s.run(0, "sh", "job.sh", "queue")
	var got []string
	for _, words := range s.words("aws") {
		got = append(got, strings.ReplaceAll(strings.Join(words, " "), s.dir+"/", ""))
	}
	want := []string{
		"batch register-job-definition --cli-input-json file://job-definition.json --query jobDefinitionArn --output text",
		"batch submit-job --job-queue queue --cli-input-json file://job-create.json --query jobId --output text",
		"batch submit-job --job-queue queue --cli-input-json file://job-shares.json --query jobId --output text --depends-on jobId=id-2",
		"batch submit-job --job-queue queue --cli-input-json file://job-status.json --query jobId --output text --depends-on jobId=id-3",
		"batch submit-job --job-queue queue --cli-input-json file://job-verify.json --query jobId --output text --depends-on jobId=id-3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("called\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	os.Remove(filepath.Join(s.note, "aws.words"))

	// What failed is submitted by itself: those with index 0 and 2.
	s.run(0, "sh", "job.sh", "queue", "failed", "id-3")
	for i, want := range []string{"1/3", "3/3"} {
		words := s.words("aws")[2+i]
		var job struct {
			ContainerOverrides struct{ Command []string }
		}
		if err := json.Unmarshal([]byte(words[slices.Index(words, "--cli-input-json")+1]), &job); err != nil {
			t.Fatal(err)
		}
		want := append(slices.Clone(w.Share), "--shard", want)
		if got := job.ContainerOverrides.Command; !slices.Equal(got, want) {
			t.Errorf("submitted again %q, want %q", got, want)
		}
	}
}

// edit puts something where the files want it.
func (s *stage) edit(name string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "EDIT-", "arn:")), 0o666); err != nil {
		s.t.Fatal(err)
	}
}
