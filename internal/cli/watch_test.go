package cli

import (
	"encoding/json"
	"testing"
)

// The last event tells the exit status, also of a command line that makes no sense.
func TestExitEvent(t *testing.T) {
	for _, args := range [][]string{
		{"ingest", "--json", "--nosuch"},
		{"ingest", "--json", "word"},
		{"ingest", "--job", "nosuch.ini", "--json"},
		{"ingest", "--json", "--x-extent", "x"},
		{"retry", "--json=true", "--nosuch"},
	} {
		code, out, said := runAsked(t.Context(), "", args...)
		var got struct {
			Event, Why string
			Status     int
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Errorf("%q: %v\n%s\n%s", args, err, out, said)
		}
		if code != exitUsage || got.Event != "exit" || got.Status != code || got.Why == "" {
			t.Errorf("%q: status %d, event %+v, want the event exit of status %d", args, code, got, exitUsage)
		}
	}
	for _, args := range [][]string{{"ingest", "--nosuch"}, {"check", "--json", "--nosuch"}} {
		if _, out, _ := runAsked(t.Context(), "", args...); out != "" {
			t.Errorf("%q: %s, want no event", args, out)
		}
	}
}
