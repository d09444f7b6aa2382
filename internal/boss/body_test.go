package boss

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/voxel"
)

// noise is a cuboid that does not compress, and the frame that LZ4 makes of it.
func noise(t *testing.T, box voxel.Box) (cuboid *voxel.Block, frame []byte) {
	t.Helper()
	cuboid = voxel.NewBlock(box, voxel.Uint8)
	rand.NewChaCha8([32]byte{}).Read(cuboid.Data)
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if frame, err = e.Append(nil, cuboid.Data, 1); err != nil || len(frame) != blosc.MaxLen(len(cuboid.Data)) {
		t.Fatalf("the frame has %d bytes, error %v", len(frame), err)
	}
	return cuboid, frame
}

// A spy sees what is written to a connection.
type spy struct {
	net.Conn
	write func(p []byte)
}

func (s *spy) Write(p []byte) (int, error) {
	s.write(p)
	return s.Conn.Write(p)
}

// permit reads the head of a post and lets the body come.
func permit(conn net.Conn) *bufio.Reader {
	r := head(conn)
	io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	return r
}

// create answers a post whose body is read.
func create(conn net.Conn) { io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n") }

// Voxels that do not compress go from the cuboid to the connection without a copy,
// in pieces that grow. It fails if net/http no longer uses a connection's ReadFrom.
func TestVoxelsAreSentFromWhereTheyLie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cuboid, want := noise(t, voxel.Box{Max: voxel.Point{X: 512, Y: 512, Z: 16}})
		var sizes []int
		at := 0 // in the cuboid
		see := func(p []byte) {
			if bytes.HasPrefix(p, []byte("POST ")) {
				return
			}
			if sizes = append(sizes, len(p)); len(sizes) == 1 {
				return // the frame's header
			}
			if &p[0] != &cuboid.Data[at] {
				t.Errorf("byte %d was copied", at)
			}
			at += len(p)
		}
		got := make([]byte, len(want))
		dial := pipes(func(conn net.Conn) {
			r := permit(conn)
			io.ReadFull(r, got)
			create(conn)
			untilClosed(r)
		})
		ch := newPiped(t, "http", Options{Compression: LZ4, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &spy{conn, see}, err
		}})
		if err := ch.Post(t.Context(), cuboid); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Error("something else arrived")
		}
		const k = 1 << 10
		if want := []int{16, 32 * k, 64 * k, 128 * k, 256 * k, 512 * k, 1024 * k, 1024 * k, 1024 * k, 32 * k}; !slices.Equal(sizes, want) {
			t.Errorf("got pieces of %d\nwant %d", sizes, want)
		}
		if s := ch.Sent(); s.Frames != int64(len(want)) || s.Voxels != int64(len(cuboid.Data)) {
			t.Errorf("sent %+v", s)
		}
	})
}

// On a line that takes 200 KiB at once and then so little that the smallest piece
// takes nearly as long as a stall, an attempt lasts: pieces become small again.
func TestSlowLineIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stall = time.Minute
		cuboid, frame := noise(t, watchedBox)
		ch := newPiped(t, "http", Options{
			Compression: LZ4,
			Timeouts:    Timeouts{Stall: stall, Request: 24 * time.Hour},
			dial: pipes(func(conn net.Conn) {
				r := permit(conn)
				io.CopyN(io.Discard, r, 200<<10)
				for left := len(frame) - 200<<10; left > 0; left -= 1 << 10 {
					time.Sleep(stall / 40)
					io.CopyN(io.Discard, r, int64(min(left, 1<<10)))
				}
				create(conn)
				untilClosed(r)
			}),
		})
		if err := ch.Post(t.Context(), cuboid); err != nil {
			t.Error(err)
		}
	})
}

// However a post ends before its body is sent, it ends promptly, and the cuboid is
// the caller's again; what has arrived until then is right.
func TestCuboidIsGivenBack(t *testing.T) {
	const read = 150e3 // of the body, in the middle of a piece
	answer := func(status string) func(net.Conn) {
		return func(conn net.Conn) { io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 5\r\n\r\nsorry") }
	}
	never := func(net.Conn) {}
	for _, tt := range []struct {
		name  string
		then  func(net.Conn) // once so much of the body is read
		limit time.Duration  // of the caller
		took  time.Duration  // at most
		want  string
	}{
		{"503", answer("503 Service Unavailable"), time.Hour, 50 * time.Millisecond, "sorry"},
		{"400", answer("400 Bad Request"), time.Hour, 50 * time.Millisecond, "sorry"},
		{"cancel", never, time.Second, time.Second, "deadline exceeded"},
		{"stall", never, time.Hour, 2 * time.Minute, "no byte moved"},
		{"hang up", func(conn net.Conn) { conn.Close() }, time.Hour, 0, "closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cuboid, want := noise(t, watchedBox)
				var got []byte
				done := make(chan struct{})
				ch := newPiped(t, "http", Options{Compression: LZ4, dial: pipes(func(conn net.Conn) {
					defer close(done)
					r := permit(conn)
					got, _ = io.ReadAll(io.LimitReader(r, read))
					tt.then(conn)
					time.Sleep(time.Hour) // and does not read on
					rest, _ := io.ReadAll(r)
					got = append(got, rest...)
				})})
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()
				began := time.Now()
				err := ch.Post(ctx, cuboid)
				took := time.Since(began)
				clear(cuboid.Data)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				if took > tt.took {
					t.Errorf("took %v, want at most %v", took, tt.took)
				}
				if <-done; !bytes.HasPrefix(want, got) || len(got) < read {
					t.Errorf("%d bytes arrived, not all of them right", len(got))
				}
			})
		})
	}
}

// A lingering connection still reads what voxels it was given to write a second
// after it was closed.
type lingering struct {
	net.Conn
	closed  chan struct{}
	lingers func(p []byte)
}

func (l *lingering) Write(p []byte) (int, error) {
	if len(p) < leastPiece {
		return l.Conn.Write(p)
	}
	<-l.closed
	time.Sleep(time.Second)
	l.lingers(p)
	return 0, net.ErrClosed
}

func (l *lingering) Close() error {
	close(l.closed)
	return l.Conn.Close()
}

// A post lasts until the connection is done with the cuboid, for which net/http
// itself waits after an error, but not after an answer.
func TestPostWaitsForTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cuboid, want := noise(t, watchedBox)
		dial := pipes(func(conn net.Conn) {
			r := permit(conn)
			io.CopyN(io.Discard, r, 16)
			io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nsorry")
			untilClosed(r)
		})
		lingered := false
		ch := newPiped(t, "http", Options{Compression: LZ4, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &lingering{conn, make(chan struct{}), func(p []byte) {
				if lingered = true; !bytes.HasPrefix(want[16:], p) {
					t.Error("the connection was given something else")
				}
			}}, err
		}})
		err := ch.Post(t.Context(), cuboid)
		clear(cuboid.Data)
		if !lingered || err == nil || !strings.Contains(err.Error(), "sorry") {
			t.Errorf("it waited %v, and gives %v", lingered, err)
		}
		time.Sleep(time.Hour)
	})
}

// Whatever was read of a body before, a connection goes on with the rest, and
// leaves the end of it to be read; it copies what is no body.
func TestConnReadsFrom(t *testing.T) {
	w := newWatch(t.Context(), Timeouts{Dial: time.Minute, Stall: time.Minute, Request: time.Hour})
	defer w.stop()
	text := func() *body { return &body{watch: w, rest: [][]byte{[]byte("head"), []byte("voxels")}} }
	read := func(b *body, n int64) io.Reader {
		io.CopyN(io.Discard, b, n)
		return b
	}
	for _, tt := range []struct {
		from io.Reader
		want string
	}{
		{io.LimitReader(text(), 10), "headvoxels"},
		{io.LimitReader(read(text(), 2), 8), "advoxels"},
		{io.LimitReader(read(text(), 6), 4), "xels"},
		{io.LimitReader(text(), 7), "headvox"},
		{io.LimitReader(text(), 99), "headvoxels"},
		{text(), "headvoxels"},
		{io.LimitReader(strings.NewReader("others"), 5), "other"},
	} {
		near, far := net.Pipe()
		got := make(chan []byte)
		go func() {
			p, _ := io.ReadAll(far)
			got <- p
		}()
		n, err := conn{near}.ReadFrom(tt.from)
		near.Close()
		if got := string(<-got); got != tt.want || n != int64(len(tt.want)) || err != nil {
			t.Errorf("got %s, %d bytes, %v, want %s", got, n, err, tt.want)
		}
		if l, ok := tt.from.(*io.LimitedReader); ok {
			if over := 99 - int64(len("headvoxels")); l.N != 0 && l.N != over {
				t.Errorf("%s: %d bytes are left", tt.want, l.N)
			}
		}
	}
}

// A closed body gives nothing away.
func TestClosedBody(t *testing.T) {
	w := newWatch(t.Context(), Timeouts{Dial: time.Minute, Stall: time.Minute, Request: time.Hour})
	b := &body{watch: w, rest: [][]byte{[]byte("voxels")}}
	b.end()
	b.end() // as does nothing more
	if n, err := b.copy(make([]byte, 9)); n != 0 || err != errClosed {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if n, err := b.writeTo(io.Discard, 9); n != 0 || err != errClosed {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
}

// A body that waits for its turn on a line of limited bandwidth ends at once.
func TestEndWhileHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bandwidth, err := pace.ParseTimetable("100B")
		if err != nil {
			t.Fatal(err)
		}
		attempt, err := pace.New(pace.Options{Bandwidth: bandwidth}).Request().Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w := newWatch(t.Context(), Timeouts{Dial: time.Minute, Stall: time.Minute, Request: time.Hour})
		b := &body{watch: w, attempt: attempt, rest: [][]byte{make([]byte, 1000)}}
		go b.writeTo(io.Discard, 1000)
		time.Sleep(time.Second + time.Millisecond)
		began := time.Now()
		b.end()
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}
