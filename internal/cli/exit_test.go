package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An answer of BOSS to a cuboid, what it means for the cuboids to come, how often
// the cuboid is sent, and what the program ends with.
var answers = []struct {
	status    int
	body      string
	class     boss.Class
	attempts  int
	exit      int
	meanwhile string
}{
	{201, "", 0, 1, exitDone, "done"},
	{400, `{"status":400,"code":1000,"message":"x"}`, boss.Permanent, 1, exitIncomplete, "bad URL"},
	{400, `{"status":400,"code":1001,"message":"Incorrect cutout arguments"}`, boss.Permanent, 1, exitIncomplete, "outside of the frame"},
	{400, `{"status":400,"code":1002,"message":"Invalid resolution 3"}`, boss.Fatal, 1, exitFatal, "no such resolution"},
	{400, `{"status":400,"code":1006,"message":"x"}`, boss.Permanent, 1, exitIncomplete, "bad arguments"},
	{400, `{"status":400,"code":2001,"message":"Failed to unpack data."}`, boss.Permanent, 1, exitIncomplete, "bad body"},
	{400, `{"status":400,"code":2002,"message":"Verify the datatype"}`, boss.Permanent, 1, exitIncomplete, "bad size"},
	{400, `{"status":400,"code":2003,"message":"x"}`, boss.Permanent, 1, exitIncomplete, "bad datatype"},
	{400, `{"status":400,"code":2005,"message":"x"}`, boss.Permanent, 1, exitIncomplete, "bad dimensions"},
	{400, `{"status":400,"code":9001,"message":"Error during write_cuboid: REDIS_ERROR: 103"}`, boss.Transient, 8, exitIncomplete, "storage"},
	{400, `{"status":400,"code":9001,"message":"Error during write_cuboid: Resource Locked"}`, boss.Refused, 1, exitRefused, "write lock"},
	{400, `{"status":400,"code":9001,"message":"Resolution Mismatch"}`, boss.Fatal, 1, exitFatal, "resolution"},
	{400, `{"status":400,"code":9001,"message":"Can't instantiate abstract class Cube"}`, boss.Fatal, 1, exitFatal, "datatype"},
	{401, `{"detail":"Invalid token."}`, boss.Fatal, 1, exitFatal, "token"},
	{403, `{"status":403,"code":3000,"message":"x"}`, boss.Fatal, 1, exitFatal, "role"},
	{403, `{"status":403,"code":3001,"message":"x"}`, boss.Fatal, 1, exitFatal, "permission"},
	{403, `{"status":403,"code":3004,"message":"x"}`, boss.Fatal, 1, exitFatal, "forbidden"},
	{404, `{"status":404,"code":4000,"message":"ch does not exist."}`, boss.Fatal, 1, exitFatal, "missing"},
	{404, `{"status":404,"code":4005,"message":"x"}`, boss.Fatal, 1, exitFatal, "deleted"},
	{404, "<html><title>Page not found</title></html>", boss.Fatal, 1, exitFatal, "no such address"},
	{409, `{"status":409,"code":2006,"message":"x"}`, boss.Permanent, 1, exitIncomplete, "state"},
	{413, `{"status":413,"code":2000,"message":"x"}`, boss.Fatal, 1, exitFatal, "too large"},
	{415, `{"detail":"Unsupported media type"}`, boss.Fatal, 1, exitFatal, "content type"},
	{429, `{"status":429,"code":3004,"message":"User is throttled. Expected available tomorrow."}`, boss.Refused, 1, exitRefused, "quota"},
	{429, `{"detail":"User is throttled. Expected available tomorrow."}`, boss.Refused, 1, exitRefused, "quota"},
	{500, "<html><title>Server Error (500)</title></html>", boss.Transient, 3, exitIncomplete, "exception"},
	{500, `{"status":500,"code":9002,"message":"x"}`, boss.Transient, 8, exitIncomplete, "parser"},
	{502, "<html><title>502 Bad Gateway</title></html>", boss.Transient, 8, exitIncomplete, "front end"},
	{503, "", boss.Transient, 8, exitIncomplete, "front end"},
	{504, "", boss.Transient, 8, exitIncomplete, "front end"},
}

// Every answer of BOSS leads to its class, so many attempts, and an exit status.
func TestAnswers(t *testing.T) {
	for _, tt := range answers {
		t.Run(fmt.Sprintf("%d %s", tt.status, tt.meanwhile), func(t *testing.T) {
			var attempts atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				attempts.Add(1)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer server.Close()
			class, exit := postOne(t, server.URL)
			if class != tt.class || int(attempts.Load()) != tt.attempts || exit != tt.exit {
				t.Errorf("%v after %d attempts, exit status %d; want %v, %d, %d", class, attempts.Load(), exit, tt.class, tt.attempts, tt.exit)
			}
		})
	}
}

// postOne carries one cuboid to a server without waiting between attempts, and
// gives the class of the error and what the program would end with.
func postOne(t *testing.T, url string) (class boss.Class, exit int) {
	t.Helper()
	access := boss.Access{Protocol: "http", Host: strings.TrimPrefix(url, "http://"), Token: boss.NewToken(strings.Repeat("0123456789", 4))}
	opts := boss.Options{}
	opts.Retry.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	client, err := boss.New(access, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ch, err := client.Channel("lab", "exp", "ch", 0, voxel.Uint8)
	if err != nil {
		t.Fatal(err)
	}
	one := voxel.NewBox(voxel.Range{Max: 8}, voxel.Range{Max: 8}, voxel.Range{Max: 8})
	counter := progress.NewCounter(voxel.Uint8, 1, one.Voxels())
	road := &ingest.Road{
		Plan: plan.New(one, voxel.Uint8, voxel.Uint8, 1), Stack: one.Z(),
		Source: sourcetest.Func(one, voxel.Uint8, func(x, y, z int) uint64 { return 7 }),
		Sink:   ch, Recorder: &recorders{listeners: []listener{counter, &classes{of: &class}}},
	}
	err = road.Run(t.Context())
	classOf(err, &class)
	if err == nil {
		o := &outcome{Snapshot: counter.Snapshot()}
		err = o.err()
	}
	return class, exitCode(err)
}

// classes notes the class of what a cuboid failed for.
type classes struct {
	trouble
	of *boss.Class
}

func (c *classes) Failed(_ voxel.Box, err error) error {
	classOf(err, c.of)
	return nil
}

func classOf(err error, class *boss.Class) {
	if e, ok := errors.AsType[*boss.Error](err); ok {
		*class = e.Class()
	}
}
