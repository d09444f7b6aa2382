package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
)

// Programs follow a run: by the events on its standard output, and by Prometheus.
func TestWatching(t *testing.T) {
	s := small("watched", 64)
	g, b := stories(t, s)
	b.setFaults(1, slow)
	p := g.start(s.ingest("--workers", "2", "--verify", "full", "--json", "--metrics", "127.0.0.1:0")...)
	p.posted(b, s, 1)
	url := regexp.MustCompile(`metrics at (http://\S+)`).FindStringSubmatch(p.complained.String())
	if url == nil {
		t.Fatalf("it does not say where the metrics are:\n%s", p)
	}
	planned := fmt.Sprintf("ndpush_cuboids_planned{channel=%q} %d\n", s.channel(), s.cuboids())
	posted := fmt.Sprintf(`ndpush_cuboids_total{channel=%q,fate="posted"} `, s.channel())
	p.until("a cuboid is counted", func() bool {
		text := fetch(t, url[1])
		if !strings.Contains(text, planned) {
			t.Fatalf("want %q in\n%s", planned, text)
		}
		return strings.Contains(text, posted) && !strings.Contains(text, posted+"0\n")
	})
	b.setFaults(0)
	p.want(0)
	s.complete(g, b)

	events := eventsOf(t, p.said.String())
	last := events[len(events)-1]
	if events[0]["event"] != "start" || events[0]["cuboids"] != float64(s.cuboids()) {
		t.Errorf("the first event is %v", events[0])
	}
	if last["event"] != "exit" || last["status"] != 0.0 {
		t.Errorf("the last event is %v", last)
	}
	done := only(t, events, "done")
	if n := done["posted"].(float64) + done["empty"].(float64); int(n) != s.cuboids() || done["sent"].(float64) <= 0 {
		t.Errorf("in the end it says %v", done)
	}
	if v := only(t, events, "verified"); v["differ"] != 0.0 || v["match"].(float64) == 0 {
		t.Errorf("it verified %v", v)
	}
}

// What is lost is an event, and so is the status that follows.
func TestEventsOfLosses(t *testing.T) {
	s := small("lossy", 32)
	g, b := stories(t, s)
	b.setFaults(1, localboss.Fault{Kind: localboss.Status, Method: http.MethodPost, Path: "/v1/cutout/", Times: 1, Status: 400, Code: 1001, Message: "no"})
	p := g.start(s.ingest("--json", "--verify", "none")...)
	p.want(3)
	events := eventsOf(t, p.said.String())
	if why := only(t, events, "failed")["why"].(string); !strings.Contains(why, "400") {
		t.Errorf("a cuboid failed because of %q", why)
	}
	if last := events[len(events)-1]; last["status"] != 3.0 || !strings.Contains(last["why"].(string), "1 cuboid failed") {
		t.Errorf("the last event is %v", last)
	}
}

func TestMetricsNowhere(t *testing.T) {
	s := small("nowhere", 16)
	g, _ := stories(t, s)
	g.start(s.ingest("--metrics", "no-such-host.invalid:1")...).want(1, "--metrics: ", "hint: give a free port")
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eventsOf are the lines of a standard output, all of which are objects.
func eventsOf(t *testing.T, text string) (events []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		t.Fatal("there are no events")
	}
	return events
}

// only is the one event of a kind.
func only(t *testing.T, events []map[string]any, kind string) (found map[string]any) {
	t.Helper()
	for _, e := range events {
		if e["event"] != kind {
			continue
		}
		if found != nil {
			t.Fatalf("two events are %q: %v", kind, events)
		}
		found = e
	}
	if found == nil {
		t.Fatalf("no event is %q: %v", kind, events)
	}
	return found
}
