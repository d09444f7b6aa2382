package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/metrics"
	"github.com/neurodata/ndpush/internal/progress"
)

// Prometheus's own client for Python reads what is answered.
func TestMetrics(t *testing.T) {
	m := metrics.New(`v"1\`)
	status := progress.Status{
		Snapshot: progress.Snapshot{TotalCuboids: 10, TotalBytes: 1e15 + 1, Posted: 1, Empty: 2, Failed: 3, Kept: 4, Bytes: 5, Missing: 6},
		Vitals:   progress.Vitals{Read: 7, Sent: 8, Workers: 9, Allowed: 10, Retries: 11},
		Quiet:    1500 * time.Millisecond,
	}
	m.Follow("lab/fly/em", func() progress.Status { return progress.Status{} })
	m.Follow("lab/fly/cells", func() progress.Status { return progress.Status{} })
	m.Follow("lab/fly/em", func() progress.Status { return status })
	s := httptest.NewServer(m)
	defer s.Close()

	cmd := exec.Command("/usr/bin/python3", "-c", `
import sys, urllib.request
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(urllib.request.urlopen(sys.argv[1]).read().decode()):
    for s in family.samples:
        if s.labels.get("channel") != "lab/fly/cells":
            print(family.type, s.name, ",".join(k + "=" + v for k, v in sorted(s.labels.items())), repr(s.value))
`, s.URL+"/metrics")
	out, err := cmd.Output()
	if err != nil {
		if os.Getenv("NDPUSH_PEERS") == "" {
			t.Skip("there is no Python with prometheus_client")
		}
		t.Fatal(err)
	}
	want := `gauge ndpush_build_info version=v"1\ 1.0
counter ndpush_cuboids_total channel=lab/fly/em,fate=posted 1.0
counter ndpush_cuboids_total channel=lab/fly/em,fate=empty 2.0
counter ndpush_cuboids_total channel=lab/fly/em,fate=failed 3.0
counter ndpush_cuboids_total channel=lab/fly/em,fate=kept 4.0
gauge ndpush_cuboids_planned channel=lab/fly/em 10.0
counter ndpush_voxel_bytes_total channel=lab/fly/em 5.0
gauge ndpush_voxel_bytes_planned channel=lab/fly/em 1000000000000001.0
counter ndpush_read_bytes_total channel=lab/fly/em 7.0
counter ndpush_sent_bytes_total channel=lab/fly/em 8.0
counter ndpush_missing_slices_total channel=lab/fly/em 6.0
counter ndpush_retries_total channel=lab/fly/em 11.0
gauge ndpush_requests_in_flight channel=lab/fly/em 9.0
gauge ndpush_requests_allowed channel=lab/fly/em 10.0
gauge ndpush_quiet_seconds channel=lab/fly/em 1.5
`
	if got := string(out); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOtherPaths(t *testing.T) {
	w := httptest.NewRecorder()
	metrics.New("v1").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "/metrics") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
