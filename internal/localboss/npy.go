package localboss

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// An npygz body is an array in NumPy's .npy format
// (numpy.org/doc/stable/reference/generated/numpy.lib.format.html), compressed
// with zlib and, in spite of its name, not with gzip.

const npyMagic = "\x93NUMPY"

// maxNPYHeader bounds the header: three short entries of a dictionary.
const maxNPYHeader = 4096

// An npyHeader says what the bytes after it are: items of the type Descr in C
// order, the last axis fastest.
type npyHeader struct {
	Descr string
	Shape []int
}

var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([^'"]*)['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9, ]*)\)`)
)

// errFortran is for arrays whose first axis is fastest. The real server turns
// them; nobody sends them.
var errFortran = errors.New("npy: Fortran order is not supported")

// readNPYHeader reads the header of versions 1 to 3.
func readNPYHeader(r io.Reader) (npyHeader, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return npyHeader{}, fmt.Errorf("npy: %w", err)
	}
	if string(start[:6]) != npyMagic || start[6] < 1 || start[6] > 3 {
		return npyHeader{}, fmt.Errorf("npy: starts with %q", start)
	}
	size := make([]byte, 2)
	if start[6] > 1 {
		size = make([]byte, 4)
	}
	if _, err := io.ReadFull(r, size); err != nil {
		return npyHeader{}, fmt.Errorf("npy: %w", err)
	}
	n := uint32(binary.LittleEndian.Uint16(size))
	if len(size) == 4 {
		n = binary.LittleEndian.Uint32(size)
	}
	if n > maxNPYHeader {
		return npyHeader{}, fmt.Errorf("npy: header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return npyHeader{}, fmt.Errorf("npy: %w", err)
	}
	return parseNPYHeader(string(text))
}

// parseNPYHeader reads the Python dictionary.
func parseNPYHeader(text string) (npyHeader, error) {
	descr, order, shape := npyDescr.FindStringSubmatch(text), npyFortran.FindStringSubmatch(text), npyShape.FindStringSubmatch(text)
	if descr == nil || order == nil || shape == nil {
		return npyHeader{}, fmt.Errorf("npy: header %q", text)
	}
	if order[1] == "True" {
		return npyHeader{}, errFortran
	}
	h := npyHeader{Descr: descr[1]}
	for f := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(shape[1]), ","), ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(f), 10, 31)
		if err != nil {
			return npyHeader{}, fmt.Errorf("npy: shape (%s)", shape[1])
		}
		h.Shape = append(h.Shape, int(n))
	}
	return h, nil
}

// appendNPYHeader appends a header of version 1.0, padded with blanks to a
// multiple of 64 bytes, as the format wants it.
func appendNPYHeader(dst []byte, t voxel.Type, shape []int) []byte {
	axes := make([]string, len(shape))
	for i, n := range shape {
		axes[i] = strconv.Itoa(n)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descrs(t)[0], strings.Join(axes, ", "))
	pad := -(len(npyMagic) + 4 + len(text) + 1) & 63
	text += strings.Repeat(" ", pad) + "\n"
	dst = append(dst, npyMagic+"\x01\x00"...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}

// descrs are NumPy's names of a type: the one that it writes first.
func descrs(t voxel.Type) []string {
	little := "<u" + strconv.Itoa(t.Size())
	if t == voxel.Uint8 { // bytes have no order
		return []string{"|u1", little, "u1"}
	}
	return []string{little, little[1:]}
}

// Ways in which an array can be a good one and not the expected one.
var (
	errDatatype   = errors.New("npygz: another datatype")
	errDimensions = errors.New("npygz: another shape")
)

// readNPYGZ appends to dst the voxels of an npygz body, which must be of that
// type and shape: that is checked before memory is taken for them. An error is
// errDatatype or errDimensions, or else body is broken.
func readNPYGZ(dst, body []byte, t voxel.Type, shape []int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return dst, err
	}
	h, err := readNPYHeader(r)
	switch {
	case err != nil:
		return dst, err
	case !slices.Contains(descrs(t), h.Descr):
		return dst, fmt.Errorf("%w: %s", errDatatype, h.Descr)
	case !slices.Equal(h.Shape, shape):
		return dst, fmt.Errorf("%w: %v", errDimensions, h.Shape)
	}
	n := t.Size()
	for _, axis := range shape {
		n *= axis
	}
	start := len(dst)
	dst = slices.Grow(dst, n)[:start+n]
	if _, err := io.ReadFull(r, dst[start:]); err != nil {
		return dst[:start], err
	}
	// The reader sees the checksum only when it comes to the end.
	if extra, err := io.CopyN(io.Discard, r, 1); extra > 0 || !errors.Is(err, io.EOF) {
		return dst[:start], fmt.Errorf("npygz: more than the array: %w", err)
	}
	return dst, nil
}

// appendNPYGZ appends the voxels as an npygz body.
func appendNPYGZ(dst, voxels []byte, t voxel.Type, shape []int) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	z, err := zlib.NewWriterLevel(b, zlib.BestSpeed)
	if err != nil {
		return dst, err
	}
	_, err = z.Write(appendNPYHeader(nil, t, shape))
	if err == nil {
		_, err = z.Write(voxels)
	}
	err = errors.Join(err, z.Close()) // which writes the rest
	return b.Bytes(), err
}
