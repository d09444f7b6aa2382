package s3_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A page is a part of a list of keys, as S3 sends it.
type page struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []struct{ Key string }
	CommonPrefixes        []struct{ Prefix string }
}

// listing answers for a bucket with these keys, three at a time.
func listing(keys ...string) func(w http.ResponseWriter, r *http.Request, n int) bool {
	slices.Sort(keys)
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		q := r.URL.Query()
		if q.Get("list-type") != "2" {
			return false
		}
		var p page
		from, _ := strconv.Atoi(q.Get("continuation-token"))
		for i, key := range keys[from:] {
			if len(p.Contents)+len(p.CommonPrefixes) == 3 {
				p.IsTruncated, p.NextContinuationToken = true, strconv.Itoa(from+i)
				break
			}
			rest, ok := strings.CutPrefix(key, q.Get("prefix"))
			if !ok {
				continue
			}
			if folder, _, deeper := strings.Cut(rest, "/"); deeper && q.Get("delimiter") == "/" {
				p.CommonPrefixes = append(p.CommonPrefixes, struct{ Prefix string }{q.Get("prefix") + folder + "/"})
			} else {
				p.Contents = append(p.Contents, struct{ Key string }{key})
			}
		}
		w.Header().Set("Content-Type", "application/xml")
		if err := xml.NewEncoder(w).Encode(p); err != nil {
			panic(err)
		}
		return true
	}
}

// find gives what Find does.
func find(ctx context.Context, b *s3.Bucket, prefix string, depth int) (names []string, err error) {
	for name, err := range b.Find(ctx, prefix, depth) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

// All pages are asked for, and only what begins with the prefix.
func TestFind(t *testing.T) {
	s := newStore(t)
	s.fault = listing("lab/a.tif", "lab/em/", "lab/em/s_1.tif", "lab/em/s_2.tif", "lab/em/s_3.tif", "lab/em/s_4.tif", "lab/em/s_5.tif",
		"lab/em/s_6/x.tif", "lab/em/s_7/deep/x.tif", "lab/em/µ & ü.tif", "laboratory/em/s_8.tif")
	o := s.options()
	o.Prefix = "lab"
	b := bucket(t, o)
	s1to5 := []string{"em/s_1.tif", "em/s_2.tif", "em/s_3.tif", "em/s_4.tif", "em/s_5.tif"}
	for _, tt := range []struct {
		prefix string
		depth  int
		want   []string
	}{
		{"", 0, []string{"a.tif"}},
		{"em/s_", 0, s1to5},
		{"em/", 0, append(slices.Clone(s1to5), "em/µ & ü.tif")},
		{"em/s_", 1, append(slices.Clone(s1to5), "em/s_6/x.tif")},
		{"em/t_", 0, nil},
	} {
		got, err := find(t.Context(), b, tt.prefix, tt.depth)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q, %d deep: %q, %v, want %q", tt.prefix, tt.depth, got, err, tt.want)
		}
	}
	before := len(s.ranges())
	for range b.Find(t.Context(), "em/s_", 0) {
		break
	}
	if n := len(s.ranges()) - before; n != 1 {
		t.Errorf("%d requests for a single name", n)
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	s.fault = listing("em/s_0001.tif", "em/s_0002.tif", "em/s_0002.tiff", "em/s_0004.tif", "em/s_5.tif", "other/s_0003.tif")
	p, err := source.ParsePattern(source.Naming{BaseFilename: "em/s_<p:4>", Extension: "tif"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := source.NewFiles(bucket(t, s.options()), p, source.Shape{}).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []voxel.Range{{Min: 1, Max: 3}, {Min: 4, Max: 5}}; !slices.Equal(l.Slices, want) || l.StrayCount != 2 || l.Doubles != 1 || l.Others != 0 {
		t.Errorf("got %+v, want slices %v and two strays", l, want)
	}
}

// What may not be listed is said to be that, and what breaks is asked for again.
func TestFindErrors(t *testing.T) {
	denied := func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		refuse(w, 403, "AccessDenied", "Access Denied")
		return true
	}
	s := newStore(t)
	s.fault = denied
	_, err := find(t.Context(), bucket(t, s.options()), "em/s_", 0)
	if want := "s3://b/em/s_: the credentials may not list the bucket (s3:ListBucket) (403 AccessDenied)"; err == nil || err.Error() != want || len(s.ranges()) != 1 {
		t.Errorf("after %d requests: %v, want %s", len(s.ranges()), err, want)
	}
	o := s.options()
	o.Anonymous = true
	if _, err = find(t.Context(), bucket(t, o), "", 0); err == nil || err.Error() != "s3://b: the bucket may not be listed by everyone (403 AccessDenied)" {
		t.Errorf("got %v", err)
	}

	answer := listing("a", "b", "c", "d", "e")
	s.fault = func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch n % 4 {
		case 0:
			return answer(w, r, n)
		case 1:
			refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		case 2:
			hijack(w, "")
		case 3: // an answer that ends early
			fmt.Fprint(w, "<ListBucketResult><Contents><Key>x</Key>")
		}
		return true
	}
	if got, err := find(t.Context(), bucket(t, s.options()), "", 0); err != nil || len(got) != 5 {
		t.Errorf("got %q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := find(ctx, bucket(t, s.options()), "", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}
