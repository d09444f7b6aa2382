package boss

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/voxel"
)

// maxResolution is the highest that a cutout's address can say: it has one digit.
const maxResolution = 9

// A Channel is where voxels are put and fetched: one channel of BOSS at one
// resolution. It is safe for concurrent use.
type Channel struct {
	client *Client
	names  string // collection/experiment/channel
	res    int
	typ    voxel.Type

	// Of its own, as it learns from the channel's data.
	compressor *compressor
}

// Channel returns the channel of these names at resolution res, 0 to 9, that
// holds voxels of type t. It sends nothing: whether BOSS has such a channel is
// seen by [Client.ChannelInfo].
func (c *Client) Channel(collection, experiment, channel string, res int, t voxel.Type) (*Channel, error) {
	if err := checkNames(collection, experiment, channel); err != nil {
		return nil, err
	}
	if res < 0 || res > maxResolution {
		return nil, fmt.Errorf("resolution %d of channel %s: want 0 to %d", res, channel, maxResolution)
	}
	return &Channel{
		client: c, names: collection + "/" + experiment + "/" + channel, res: res, typ: t,
		compressor: &compressor{compression: c.compression},
	}, nil
}

// String is collection/experiment/channel.
func (ch *Channel) String() string { return ch.names }

// Type is what the channel's voxels are.
func (ch *Channel) Type() voxel.Type { return ch.typ }

// Post writes cuboid, whose box is in BOSS coordinates and whose type is the
// channel's. It returns nil only if BOSS answered 201: it has the voxels, in its
// write buffer at least. Zeros change nothing there; see [Channel.ToBlack].
//
// The error is an [*Error] if a request was sent, or a [*pace.Down] if BOSS has
// been silent for longer than Options.Pace has patience. cuboid is the caller's
// again when Post returns.
func (ch *Channel) Post(ctx context.Context, cuboid *voxel.Block) error {
	path, err := ch.cutoutPath(cuboid.Box)
	if err != nil {
		return err
	}
	if cuboid.Type != ch.typ {
		return fmt.Errorf("post %v to %s: it is of %v, the channel of %v", cuboid.Box, ch.names, cuboid.Type, ch.typ)
	}
	f := ch.client.frames.get()
	defer ch.client.frames.put(f)
	defer ch.compressor.end()
	// BOSS takes any item size. The Python client gives bits, which shuffles
	// uint8 images with a stride of 8, to their harm.
	parts, how, err := ch.compressor.compress(f, cuboid.Data, ch.typ.Size())
	if err != nil {
		return fmt.Errorf("compress %v: %w", cuboid.Box, err)
	}
	r := &request{
		method: http.MethodPost,
		path:   path,
		// Of other types BOSS turns its own 401, 405 and 415 into a 500.
		accept: formatJSON,
		want:   http.StatusCreated,
		format: formatBlosc,
		body:   parts,
	}
	r.voxels = r.size()
	if err := ch.client.do(ctx, r); err != nil {
		return err
	}
	ch.compressor.posted(how, len(cuboid.Data), r.size(), r.took)
	return nil
}

// Sent tells what the cuboids came to that were posted so far.
func (ch *Channel) Sent() Sent { return ch.compressor.total() }

// Get reads the voxels of box, in BOSS coordinates. What was never written is 0.
func (ch *Channel) Get(ctx context.Context, box voxel.Box) (*voxel.Block, error) {
	b := &voxel.Block{Box: box}
	if err := ch.GetInto(ctx, b); err != nil {
		return nil, err
	}
	return b, nil
}

// GetInto is Get for the box of dst, in the memory that dst has if that is large
// enough. dst gets the channel's type; after an error its voxels are undefined.
func (ch *Channel) GetInto(ctx context.Context, dst *voxel.Block) error {
	path, err := ch.cutoutPath(dst.Box)
	if err != nil {
		return err
	}
	f := ch.client.frames.get()
	defer ch.client.frames.put(f)
	dst.Reset(dst.Box, ch.typ)
	r := &request{
		method: http.MethodGet,
		path:   path,
		// Others read through BOSS's cache; data that are looked at once, to compare
		// them, must not push theirs out.
		query:  url.Values{"access-mode": {"no-cache"}},
		accept: formatBlosc,
		want:   http.StatusOK,
	}
	r.read = func(resp *http.Response) error { return ch.client.readCutout(r, resp, f, dst) }
	return ch.client.do(ctx, r)
}

// readCutout decodes the answer into dst, by way of f. A faulty frame counts as
// a fault of the way here, where lengths are lost more easily than in BOSS.
func (c *Client) readCutout(r *request, resp *http.Response, f *frame, dst *voxel.Block) error {
	if t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); t != formatBlosc {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return c.misread(r, resp, body)
	}
	want := len(dst.Data)
	// One byte more than can be, to notice an answer that is too long.
	if err := f.readAll(resp, blosc.MaxLen(want)+1); err != nil {
		return c.networkError(r, err)
	}
	got, err := f.decoder.Append(dst.Data[:0], f.data, want)
	if err == nil && len(got) != want {
		err = fmt.Errorf("%d bytes instead of %d", len(got), want)
	}
	if err != nil {
		return c.damaged(r, err)
	}
	dst.Data, r.voxels = got, len(f.data)
	return nil
}

// damaged is the error of voxels that arrived and cannot be used.
func (c *Client) damaged(r *request, err error) *Error {
	return &Error{
		Method: r.method, Path: r.path, Err: err,
		Message: fmt.Sprintf("decode what %s sent: %s", c.access.Host, human.Message(err.Error())),
		verdict: verdict{class: Transient, tries: few}, outcome: pace.Answered,
	}
}

// ToBlack sets the voxels of box, in BOSS coordinates, to 0, as a post cannot.
func (ch *Channel) ToBlack(ctx context.Context, box voxel.Box) error {
	path, err := ch.path("/v1/cutout/to_black/", box)
	if err != nil {
		return err
	}
	return ch.client.do(ctx, &request{
		method: http.MethodPut,
		path:   path,
		accept: formatJSON,
		want:   http.StatusOK,
		format: formatBlosc,
	})
}

func (ch *Channel) cutoutPath(box voxel.Box) (string, error) { return ch.path("/v1/cutout/", box) }

// path is the address of box, which ends in a slash. Numbers below 0 have none.
func (ch *Channel) path(service string, box voxel.Box) (string, error) {
	if box.Empty() || box.Min.X < 0 || box.Min.Y < 0 || box.Min.Z < 0 {
		return "", fmt.Errorf("cutout %v of %s: want a volume that is not empty and not below 0", box, ch.names)
	}
	return fmt.Sprintf("%s%s/%d/%v/", service, ch.names, ch.res, box), nil
}
