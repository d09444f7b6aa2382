package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/voxel"
)

var box = voxel.NewBox(voxel.Range{Min: 0, Max: 10}, voxel.Range{Min: 20, Max: 30}, voxel.Range{Min: 0, Max: 16})

// tell makes s tell of everything.
func tell(s *event.Stream) {
	status := progress.Status{
		Snapshot: progress.Snapshot{TotalCuboids: 10, TotalBytes: 1000, Posted: 1, Bytes: 500},
		Vitals:   progress.Vitals{Read: 600, Sent: 300, Workers: 2, Allowed: 8, Retries: 1},
		Rate:     100, Elapsed: 5 * time.Second,
	}
	s.Created("lab/fly/em", "created collection lab")
	s.Start("lab/fly/em", event.Start{Version: "v1", Box: box, Cuboids: 10, Bytes: 1000, Before: 2, Memory: 4096})
	stop := s.Follow("lab/fly/em", time.Second, func() progress.Status { return status })
	time.Sleep(1500 * time.Millisecond)
	stop()
	l := s.Of("lab/fly/em")
	l.Posted(box, time.Second)
	l.Empty(box)
	l.Failed(box, errors.New("POST <x>: 500"))
	l.Missing(7, errors.New("slice 7: no"))
	s.Warning("BOSS is away")
	s.Verified("lab/fly/em", "z 2", 3, 1, 0)
	s.Finding("lab/fly/em", "slices", "ok", "20 slices", nil)
	s.Finding("lab/fly/em", "plan", "plan", "no time", map[string]int{"cuboids": 8})
	s.Done("lab/fly/em", status, "a.txt")
	s.Exit(0, nil)
	s.Exit(3, errors.New("incomplete"))
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		tell(event.New(&out, time.Now))
		want := `{"event":"created","at":"2000-01-01T00:00:00Z","channel":"lab/fly/em","why":"created collection lab"}
{"event":"start","at":"2000-01-01T00:00:00Z","channel":"lab/fly/em","version":"v1","box":"0:10/20:30/0:16","cuboids":10,"bytes":1000,"before":2,"memory":4096}
{"event":"progress","at":"2000-01-01T00:00:01Z","channel":"lab/fly/em","posted":1,"empty":0,"failed":0,"kept":0,"cuboids":10,"bytes":500,"total_bytes":1000,"missing":0,"read":600,"sent":300,"rate":100,"seconds_left":5,"workers":2,"allowed":8,"retries":1,"seconds":5}
{"event":"failed","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","box":"0:10/20:30/0:16","why":"POST <x>: 500"}
{"event":"missing","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","z":7,"why":"slice 7: no"}
{"event":"warning","at":"2000-01-01T00:00:01.5Z","why":"BOSS is away"}
{"event":"verified","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","what":"z 2","match":3,"differ":1,"error":0}
{"event":"finding","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","check":"slices","result":"ok","text":"20 slices"}
{"event":"finding","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","check":"plan","result":"plan","text":"no time","plan":{"cuboids":8}}
{"event":"done","at":"2000-01-01T00:00:01.5Z","channel":"lab/fly/em","posted":1,"empty":0,"failed":0,"kept":0,"cuboids":10,"bytes":500,"total_bytes":1000,"missing":0,"read":600,"sent":300,"rate":100,"seconds_left":5,"workers":2,"allowed":8,"retries":1,"seconds":5,"log":"a.txt"}
{"event":"exit","at":"2000-01-01T00:00:01.5Z","status":0}
{"event":"exit","at":"2000-01-01T00:00:01.5Z","status":3,"why":"incomplete"}
`
		if got := out.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// The package comment, which is the schema, has each event with all its keys.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(string(text), "\npackage")
	documented := make(map[string][]string)
	for _, e := range strings.Split(comment, "//\t{")[1:] {
		e, _, _ = strings.Cut(e, "}")
		var keys []string
		for _, m := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(e, -1) {
			keys = append(keys, m[1])
		}
		name := regexp.MustCompile(`"event":"([a-z]+)"`).FindStringSubmatch(e)[1]
		if strings.Contains(e, "what progress has") {
			keys = append(keys, documented["progress"]...)
		}
		documented[name] = keys
	}
	var out bytes.Buffer
	tell(event.New(&out, time.Now))
	for line := range strings.Lines(out.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		for key := range e {
			if name := e["event"].(string); !slices.Contains(documented[name], key) {
				t.Errorf("the comment does not say that %s has %q", name, key)
			}
		}
	}
	if len(documented) != 10 {
		t.Errorf("%d events are documented", len(documented))
	}
}

// Nobody need ask whether there is somebody who reads.
func TestNobody(t *testing.T) { tell(nil) }

// Lines stay whole when many write.
func TestConcurrent(t *testing.T) {
	var out bytes.Buffer
	s := event.New(&out, time.Now)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				s.Warning("x")
			}
		})
	}
	wg.Wait()
	if n := strings.Count(out.String(), "\"why\":\"x\"}\n"); n != 800 {
		t.Errorf("%d whole lines", n)
	}
}
