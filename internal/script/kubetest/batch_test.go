package kubetest

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/batch"
)

// read reads a file into an input of the client, strictly.
func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

func TestBatch(t *testing.T) {
	for _, file := range files(t, "aws-batch/*/*.json", 12) {
		if strings.HasSuffix(file, "-definition.json") {
			var in batch.RegisterJobDefinitionInput
			read(t, file, &in)
			checkEnums(t, file, reflect.ValueOf(in))
			checkDefinition(t, file, in)
			continue
		}
		var in batch.SubmitJobInput
		read(t, file, &in)
		checkEnums(t, file, reflect.ValueOf(in))
		if in.ArrayProperties != nil && (*in.ArrayProperties.Size < 2 || *in.ArrayProperties.Size > 10000) {
			t.Errorf("%s: an array of %d", file, *in.ArrayProperties.Size)
		}
		if in.Timeout != nil && *in.Timeout.AttemptDurationSeconds < 60 {
			t.Errorf("%s: a time of %d s", file, *in.Timeout.AttemptDurationSeconds)
		}
		if len(*in.JobName) > 128 || len(in.ContainerOverrides.Command) == 0 {
			t.Errorf("%s: the name %s, words %q", file, *in.JobName, in.ContainerOverrides.Command)
		}
	}
}

// checkDefinition is about what the service refuses, as its reference says.
func checkDefinition(t *testing.T, file string, in batch.RegisterJobDefinitionInput) {
	t.Helper()
	retry := in.RetryStrategy
	if *retry.Attempts < 1 || *retry.Attempts > 10 || len(retry.EvaluateOnExit) > 5 {
		t.Errorf("%s: %d attempts and %d conditions, want at most 10 and 5", file, *retry.Attempts, len(retry.EvaluateOnExit))
	}
	want := map[string]string{"1": "EXIT", "2": "EXIT", "3": "EXIT", "4": "EXIT", "5": "RETRY", "130": "RETRY", "137": "EXIT"}
	for status, action := range want {
		got := "RETRY" // what nothing matches
		for _, on := range retry.EvaluateOnExit {
			if on.OnExitCode == nil || on.OnReason != nil || on.OnStatusReason != nil {
				continue
			}
			start, glob := strings.CutSuffix(*on.OnExitCode, "*")
			if start == status || glob && strings.HasPrefix(status, start) {
				got = string(on.Action)
				break
			}
		}
		if got != action {
			t.Errorf("%s: status %s means %s, want %s", file, status, got, action)
		}
	}
}

// checkEnums wants each value of an enumeration to be one that the client knows.
// The service takes some of them in capitals or not.
func checkEnums(t *testing.T, file string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			checkEnums(t, file, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkEnums(t, file, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				checkEnums(t, file, v.Field(i))
			}
		}
	case reflect.String:
		values := v.MethodByName("Values")
		if !values.IsValid() || v.String() == "" {
			return
		}
		known := values.Call(nil)[0]
		var names []string
		for i := range known.Len() {
			names = append(names, strings.ToLower(known.Index(i).String()))
		}
		if !slices.Contains(names, strings.ToLower(v.String())) {
			t.Errorf("%s: %s is not one of %q", file, v.String(), names)
		}
	}
}

// The check of enumerations is one.
func TestEnums(t *testing.T) {
	file := files(t, "aws-batch/ordinary/*-definition.json", 1)[0]
	var in batch.RegisterJobDefinitionInput
	read(t, file, &in)
	in.Type = "conteiner"
	probe := new(testing.T)
	checkEnums(probe, file, reflect.ValueOf(in))
	if !probe.Failed() {
		t.Error("a type that there is not passes")
	}
}
