package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/bench/stack"
	"github.com/neurodata/ndpush/internal/blosc"
)

// What an ingest with the presets does: cuboids of this size, so many on their way
// at a time.
const (
	cuboidSide  = 1024
	cuboidDepth = 16
	workers     = 8
)

// A task is a part of an ingest of an uncompressed uint8 stack, to be done alone.
// It goes to a process of its own as JSON.
type task struct {
	Part  string
	Stack stack.Stack
	Dir   string // of the stack

	Codec blosc.Codec // of compress

	Address string // of the BOSS that is posted to
	Posts   int64
	Sent    int64 // bytes, in all posts together
}

// The parts. None of them copies, checks or waits for another: what an ingest takes
// beyond their sum is what it costs to put them together.
const (
	partRead     = "read"     // all files, by and by, into a small buffer
	partCompress = "compress" // all cuboids, one after the other
	partPost     = "post"     // as many bytes, by as many workers
)

// parts are the processors' seconds that each took.
type parts struct {
	Read     float64 `json:"read_s"`
	Compress float64 `json:"compress_s"`
	Post     float64 `json:"post_s"`
}

func (p parts) sum() float64 { return p.Read + p.Compress + p.Post }

// partsOf measures the parts of an ingest of s that sent so much.
func partsOf(ctx context.Context, s *stack.Stack, codec blosc.Codec, posts, sent int64) (p parts, err error) {
	b, err := startBoss(ctx, "")
	if err != nil {
		return p, err
	}
	for _, part := range []struct {
		name    string
		seconds *float64
	}{{partRead, &p.Read}, {partCompress, &p.Compress}, {partPost, &p.Post}} {
		text, err := json.Marshal(task{Part: part.name, Stack: *s, Dir: s.Dir, Codec: codec, Address: b.address, Posts: posts, Sent: sent})
		if err == nil {
			err = ask(ctx, part.seconds, onePart, string(text))
		}
		if err != nil {
			b.stop()
			return p, err
		}
	}
	counts, _, err := b.stop()
	if err == nil && counts.Cutouts != posts {
		err = fmt.Errorf("post alone: %d cutouts arrived of %d: %s", counts.Cutouts, posts, counts.Reason)
	}
	return p, err
}

// partAlone does a task, and says how many of the processors' seconds that took.
func partAlone(ctx context.Context, args []string, stdout io.Writer) error {
	var t task
	if len(args) != 1 {
		return errors.New("part: want a task")
	}
	if err := json.Unmarshal([]byte(args[0]), &t); err != nil {
		return err
	}
	t.Stack.Dir = t.Dir
	var took time.Duration
	var err error
	switch t.Part {
	case partRead:
		took, err = t.read()
	case partCompress:
		took, err = t.compress()
	case partPost:
		took, err = t.post(ctx)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(took.Seconds())
}

func (t *task) read() (time.Duration, error) {
	buffer := make([]byte, 1<<20)
	start := cpuNow()
	for z := range t.Stack.Slices {
		f, err := os.Open(t.Stack.Path(z))
		if err != nil {
			return 0, err
		}
		for at := int64(0); err == nil; at += int64(len(buffer)) {
			_, err = f.ReadAt(buffer, at)
		}
		f.Close()
		if err != io.EOF {
			return 0, err
		}
	}
	return cpuNow() - start, nil
}

// compress reads cuboid after cuboid, and counts only what compressing them takes.
func (t *task) compress() (took time.Duration, err error) {
	encoder, err := blosc.NewEncoder(blosc.Options{Codec: t.Codec})
	if err != nil {
		return 0, err
	}
	var frame []byte
	side := t.Stack.Side
	cuboid := make([]byte, 0, cuboidSide*cuboidSide*cuboidDepth)
	for z := 0; z < t.Stack.Slices; z += cuboidDepth {
		for y := 0; y < side; y += cuboidSide {
			for x := 0; x < side; x += cuboidSide {
				cuboid, err = t.cuboid(cuboid[:0], x, y, z)
				if err != nil {
					return 0, err
				}
				start := cpuNow()
				if frame, err = encoder.Append(frame[:0], cuboid, 1); err != nil {
					return 0, err
				}
				took += cpuNow() - start
			}
		}
	}
	return took, nil
}

// cuboid appends the voxels of the cuboid that begins at x, y, z.
func (t *task) cuboid(dst []byte, x, y, z int) ([]byte, error) {
	side := t.Stack.Side
	for k := z; k < min(z+cuboidDepth, t.Stack.Slices); k++ {
		f, err := os.Open(t.Stack.Path(k))
		if err != nil {
			return nil, err
		}
		for j := y; err == nil && j < min(y+cuboidSide, side); j++ {
			n := len(dst)
			dst = dst[:n+min(cuboidSide, side-x)]
			_, err = f.ReadAt(dst[n:], stack.PixelOffset+int64(j*side+x))
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// post posts so many bodies, of what they hold on average. Their voxels are said
// to be as many as their bytes, and their place is one of a column of its own.
func (t *task) post(ctx context.Context) (time.Duration, error) {
	size := int(t.Sent / t.Posts)
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	client := &http.Client{Transport: &http.Transport{Protocols: http1, MaxIdleConnsPerHost: workers, ExpectContinueTimeout: time.Second}}
	defer client.CloseIdleConnections()
	if err := t.provide(ctx, client, size); err != nil {
		return 0, err
	}
	bodies := make(chan []byte, workers)
	for range workers {
		bodies <- frameOf(size)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	start := cpuNow()
	for i := range t.Posts {
		g.Go(func() error {
			body := <-bodies
			defer func() { bodies <- body }()
			return t.send(ctx, client, fmt.Sprintf("/v1/cutout/c/e/ch/0/0:%d/%d:%d/0:1/", size, i, i+1), "application/blosc", body)
		})
	}
	err := g.Wait()
	return cpuNow() - start, err
}

// frameOf is what passes for a Blosc frame of so many bytes. Zeros alone would be
// one page of memory, over and over.
func frameOf(size int) []byte {
	frame := bytes.Repeat([]byte("voxels, of which nobody looks at one"), size/36+1)[:size]
	binary.LittleEndian.PutUint32(frame[4:], uint32(size))
	binary.LittleEndian.PutUint32(frame[12:], uint32(size))
	frame[0] = 2
	return frame
}

// provide makes the channel that is posted to.
func (t *task) provide(ctx context.Context, client *http.Client, size int) error {
	for _, r := range [][2]string{
		{"/v1/coord/f", fmt.Sprintf(`{"x_start":0,"x_stop":%d,"y_start":0,"y_stop":%d,"z_start":0,"z_stop":1}`, size, t.Posts)},
		{"/v1/collection/c/experiment/e", `{"coord_frame":"f"}`},
		{"/v1/collection/c/experiment/e/channel/ch", `{"datatype":"uint8"}`},
	} {
		if err := t.send(ctx, client, r[0], "application/json", []byte(r[1])); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) send(ctx context.Context, client *http.Client, path, format string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.Address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Token "+secret)
	req.Header.Set("Content-Type", format)
	if format != "application/json" {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("post %s: %s", path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
