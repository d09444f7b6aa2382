package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// The parts of AWS Batch's RegisterJobDefinition and SubmitJob that are used.
type (
	batchDefinition struct {
		Name         string         `json:"jobDefinitionName"`
		Type         string         `json:"type"`
		Capabilities []string       `json:"platformCapabilities"`
		Container    batchContainer `json:"containerProperties"`
		Retry        batchRetry     `json:"retryStrategy"`
	}
	batchContainer struct {
		Image         string             `json:"image"`
		Command       []string           `json:"command"`
		Resources     []batchRequirement `json:"resourceRequirements"`
		User          string             `json:"user"`
		ExecutionRole string             `json:"executionRoleArn"`
		JobRole       string             `json:"jobRoleArn"`
		Environment   []batchVariable    `json:"environment"`
		Secrets       []batchSecret      `json:"secrets"`
		Volumes       []batchVolume      `json:"volumes"`
		Mounts        []batchMount       `json:"mountPoints"`
	}
	batchRequirement struct {
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	batchVariable struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	batchSecret struct {
		Name string `json:"name"`
		From string `json:"valueFrom"`
	}
	batchVolume struct {
		Name string   `json:"name"`
		EFS  batchEFS `json:"efsVolumeConfiguration"`
	}
	batchEFS struct {
		ID         string `json:"fileSystemId"`
		Encryption string `json:"transitEncryption"`
	}
	batchMount struct {
		Volume string `json:"sourceVolume"`
		Path   string `json:"containerPath"`
	}
	batchRetry struct {
		Attempts int         `json:"attempts"`
		OnExit   []batchExit `json:"evaluateOnExit"`
	}
	batchExit struct {
		Code         string `json:"onExitCode,omitempty"`
		Reason       string `json:"onReason,omitempty"`
		StatusReason string `json:"onStatusReason,omitempty"`
		Action       string `json:"action"`
	}
	batchJob struct {
		Name       string         `json:"jobName"`
		Definition string         `json:"jobDefinition"`
		Array      *batchArray    `json:"arrayProperties,omitempty"`
		Overrides  batchOverrides `json:"containerOverrides"`
		Timeout    *batchTimeout  `json:"timeout,omitempty"`
	}
	batchArray struct {
		Size int `json:"size"`
	}
	batchOverrides struct {
		Command []string `json:"command"`
	}
	batchTimeout struct {
		Seconds int64 `json:"attemptDurationSeconds"`
	}
)

const (
	// batchAttempts are the most that AWS Batch allows.
	batchAttempts = 10
	// batchMemory is asked for where nothing is said: AWS Batch wants a number.
	batchMemory = 4096
)

// writeBatch makes a job definition, a job for each command, the shares as an
// array, and a script that registers and submits them.
func writeBatch(v *view) ([]File, error) {
	if err := checkMount(v.Dir); err != nil {
		return nil, err
	}
	p := &pod{view: v}
	files, err := render(v.Job, p, [2]string{".sh", "aws-batch.sh"})
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		suffix string
		data   any
		when   bool
	}{
		{"-definition.json", batchDefine(p), true},
		{"-create.json", v.batchJob("create", v.Create, 0), v.Create != nil},
		{"-shares.json", v.batchShares(), true},
		{"-share.json", v.batchShare(), true},
		{"-status.json", v.batchJob("status", v.Status, 0), v.Status != nil},
		{"-verify.json", v.batchJob("verify", v.Verify, v.VerifyTime), v.Verify != nil},
	} {
		if part.when {
			files = append(files, File{v.Job + part.suffix, 0o644, indented(part.data)})
		}
	}
	docker, err := dockerfile(p)
	return append(files, docker), err
}

// Attempts are those of a share.
func (p *pod) Attempts() int { return batchAttempts }

// batchDefine is what all jobs share. What begins with EDIT- has to be edited.
func batchDefine(p *pod) batchDefinition {
	memory := p.MiB()
	if memory == 0 {
		memory = batchMemory
	}
	return batchDefinition{
		Name:         p.Job,
		Type:         "container",
		Capabilities: []string{"EC2"},
		Container: batchContainer{
			Image:         p.Image(),
			Command:       []string{p.Share[0], "version"},
			Resources:     []batchRequirement{{"VCPU", strconv.Itoa(p.Cores())}, {"MEMORY", strconv.FormatInt(memory, 10)}},
			User:          strconv.Itoa(user),
			ExecutionRole: "EDIT-ARN-OF-EXECUTION-ROLE",
			JobRole:       "EDIT-ARN-OF-JOB-ROLE",
			Environment:   []batchVariable{{"INTERN_PROTOCOL", "https"}, {"INTERN_HOST", "api.bossdb.io"}},
			Secrets:       []batchSecret{{"INTERN_TOKEN", "EDIT-ARN-OF-SECRET"}},
			Volumes:       []batchVolume{{"data", batchEFS{"EDIT-ID-OF-EFS", "ENABLED"}}},
			Mounts:        []batchMount{{"data", p.Mount()}},
		},
		// The first that matches decides. What is missing or differs does not come
		// right by trying again; a machine that is taken away does.
		Retry: batchRetry{batchAttempts, []batchExit{
			{StatusReason: "Host EC2*", Action: "RETRY"},
			{Code: "5", Action: "RETRY"},
			{Code: "130", Action: "RETRY"},
			{Code: "*", Action: "EXIT"},
			{Reason: "*", Action: "EXIT"},
		}},
	}
}

// batchJob is the job of one command.
func (v *view) batchJob(task string, command []string, limit time.Duration) batchJob {
	job := batchJob{Name: v.Job + "-" + task, Definition: v.Job, Overrides: batchOverrides{command}}
	if limit > 0 {
		job.Timeout = &batchTimeout{60 * minutes(limit, time.Minute)}
	}
	return job
}

// batchShares are all shares. An array has at least two.
func (v *view) batchShares() batchJob {
	if v.Shares == 1 {
		return v.batchJob("shares", v.One(1), v.Time)
	}
	job := v.batchJob("shares", v.Share, v.Time)
	job.Array = &batchArray{v.Shares}
	return job
}

// batchShare is one share, outside an array; the script puts its number for K.
func (v *view) batchShare() batchJob {
	job := v.batchJob("share", v.One(1), v.Time)
	job.Overrides.Command[len(job.Overrides.Command)-1] = fmt.Sprintf("K/%d", v.Shares)
	return job
}

// indented is data as JSON for people.
func indented(data any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	e.Encode(data) // strings and numbers can always be encoded
	return b.String()
}
