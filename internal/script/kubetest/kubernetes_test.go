package kubetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/batch/validation"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
	"sigs.k8s.io/yaml"
)

// files are the golden files of a format, at least as many as there should be.
func files(t *testing.T, pattern string, least int) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join("..", "testdata", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < least {
		t.Fatalf("%d files are like %s, want at least %d", len(list), pattern, least)
	}
	return list
}

// decode reads a Job as kubectl does with --validate=strict.
func decode(t *testing.T, file string) *batchv1.Job {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	j := new(batchv1.Job)
	if err := yaml.UnmarshalStrict(text, j); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return j
}

// judge is what the API server says of a Job: it puts its defaults in, and the
// labels that it finds the pods by, and validates.
func judge(t *testing.T, j *batchv1.Job) []string {
	t.Helper()
	j = j.DeepCopy()
	j.Namespace = metav1.NamespaceDefault
	j.UID = "5b0fedba-0000-4000-8000-000000000000"
	labels := map[string]string{
		"controller-uid": string(j.UID), batchv1.ControllerUidLabel: string(j.UID),
		"job-name": j.Name, batchv1.JobNameLabel: j.Name,
	}
	j.Spec.Template.Labels = labels
	j.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{batchv1.ControllerUidLabel: string(j.UID)}}
	legacyscheme.Scheme.Default(j)
	var internal batch.Job
	if err := legacyscheme.Scheme.Convert(j, &internal, nil); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, err := range validation.ValidateJob(&internal, validation.JobValidationOptions{RequirePrefixedLabels: true}) {
		said = append(said, err.Error())
	}
	return said
}

func TestKubernetes(t *testing.T) {
	for _, file := range files(t, "kubernetes/*/*.yaml", 8) {
		j := decode(t, file)
		if j.APIVersion != "batch/v1" || j.Kind != "Job" {
			t.Errorf("%s is a %s of %s", file, j.Kind, j.APIVersion)
		}
		for _, said := range judge(t, j) {
			t.Errorf("%s: %s", file, said)
		}
	}
}

// The judge is one: it finds what strict decoding does not.
func TestJudge(t *testing.T) {
	file := files(t, "kubernetes/ordinary/*-shares.yaml", 1)[0]
	for name, spoil := range map[string]func(*batchv1.Job){
		"completion mode": func(j *batchv1.Job) { j.Spec.CompletionMode = nil },
		"restartPolicy":   func(j *batchv1.Job) { j.Spec.Template.Spec.RestartPolicy = "OnFailure" },
		"volumeMounts":    func(j *batchv1.Job) { j.Spec.Template.Spec.Volumes = nil },
		"containerName":   func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].Name = "other" },
		"metadata.name":   func(j *batchv1.Job) { j.Name = "A" },
	} {
		j := decode(t, file)
		spoil(j)
		said := judge(t, j)
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, name) }) {
			t.Errorf("without a right %s, it says %q", name, said)
		}
	}
}

// What the statuses of ndpush mean to Kubernetes.
func TestStatuses(t *testing.T) {
	for _, file := range files(t, "kubernetes/*/*.yaml", 8) {
		j := decode(t, file)
		want := map[int32]batchv1.PodFailurePolicyAction{
			1: batchv1.PodFailurePolicyActionFailJob, 2: batchv1.PodFailurePolicyActionFailJob,
			3: batchv1.PodFailurePolicyActionFailJob, 4: batchv1.PodFailurePolicyActionFailJob,
			5: batchv1.PodFailurePolicyActionCount, 130: batchv1.PodFailurePolicyActionCount,
			139: batchv1.PodFailurePolicyActionCount, // what nobody foresaw is tried again
		}
		if strings.HasSuffix(file, "-shares.yaml") {
			for status := range int32(5) {
				if status > 0 {
					want[status] = batchv1.PodFailurePolicyActionFailIndex
				}
			}
		}
		for status, action := range want {
			if got := decide(j, status); got != action {
				t.Errorf("%s: status %d means %s, want %s", file, status, got, action)
			}
		}
	}
}

// decide is the action of the first rule about an exit status.
func decide(j *batchv1.Job, status int32) batchv1.PodFailurePolicyAction {
	for _, rule := range j.Spec.PodFailurePolicy.Rules {
		if on := rule.OnExitCodes; on != nil && on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && slices.Contains(on.Values, status) {
			return rule.Action
		}
	}
	return batchv1.PodFailurePolicyActionCount
}

// Words come out of YAML, and of Kubernetes' own expansion of variables, as they
// are in JSON for AWS Batch, which expands nothing.
func TestWords(t *testing.T) {
	for _, file := range files(t, "kubernetes/*/*.yaml", 8) {
		if strings.HasSuffix(file, "-shares.yaml") {
			continue // a single share has another command in AWS Batch
		}
		text, err := os.ReadFile(strings.NewReplacer("kubernetes", "aws-batch", ".yaml", ".json").Replace(file))
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			ContainerOverrides struct{ Command []string }
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		expand := expansion.MappingFuncFor(map[string]string{"HOME": "expanded", "id": "expanded", "X": "expanded"})
		var got []string
		for _, word := range decode(t, file).Spec.Template.Spec.Containers[0].Command {
			got = append(got, expansion.Expand(word, expand))
		}
		if !slices.Equal(got, want.ContainerOverrides.Command) {
			t.Errorf("%s: words\n%q, want\n%q", file, got, want.ContainerOverrides.Command)
		}
	}
}
