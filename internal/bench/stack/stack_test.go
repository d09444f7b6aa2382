package stack

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/image/tiff"

	ours "github.com/neurodata/ndpush/internal/tiff"
)

// The files hold the pixels that were painted, says a decoder that is not ours,
// but for uint64, of which there is none.
func TestFiles(t *testing.T) {
	const side, slices = 256, 2
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			if _, err := exec.LookPath("tiffcp"); err != nil && k.Name == "light-lzw" && os.Getenv("NDPUSH_PEERS") == "" {
				t.Skip("no tiffcp, of libtiff-tools")
			}
			s, err := Make(t.TempDir(), k, side, slices)
			if err != nil {
				t.Fatal(err)
			}
			for z := range slices {
				file, err := os.ReadFile(s.Path(z))
				if err != nil {
					t.Fatal(err)
				}
				if got := decode(t, k, file, s.Side); !bytes.Equal(got, k.pixels(s.Side, z)) {
					t.Errorf("slice %d: other pixels", z)
				}
			}
			if s.Cuboids != 1 || s.Bytes != s.Voxels(k) {
				t.Errorf("it says %+v", s)
			}
		})
	}
}

// decode gives the pixels of a file, little-endian.
func decode(t *testing.T, k Kind, file []byte, side int) []byte {
	t.Helper()
	if k.ItemSize == 8 {
		pixels := make([]byte, side*side*8)
		img, err := ours.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if err := img.ReadRows(t.Context(), pixels, image.Rect(0, 0, side, side)); err != nil {
			t.Fatal(err)
		}
		return pixels
	}
	decoder := tiff.Decode
	if k.Extension == "png" {
		decoder = png.Decode
	}
	img, err := decoder(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	switch img := img.(type) {
	case *image.Gray:
		return img.Pix
	case *image.Gray16:
		var pixels []byte
		for i := 0; i < len(img.Pix); i += 2 {
			pixels = binary.LittleEndian.AppendUint16(pixels, binary.BigEndian.Uint16(img.Pix[i:]))
		}
		return pixels
	}
	t.Fatalf("a %T", img)
	return nil
}

// A sparse stack is nine tenths empty, and says so of its cuboids: the disk is in
// the one in the middle and those beside it. What is there is not made again.
func TestSparse(t *testing.T) {
	const width = 3072
	dir, k := t.TempDir(), Kinds()[5]
	s, err := Make(dir, k, width, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Cuboids != 5 || s.Bytes != 5*1024*1024 {
		t.Errorf("%d cuboids of %d bytes, want 5", s.Cuboids, s.Bytes)
	}
	file, err := os.ReadFile(s.Path(0))
	if err != nil {
		t.Fatal(err)
	}
	const all = width * width
	if n := bytes.Count(file[PixelOffset:][:all], []byte{0}); n < all*89/100 || n > all*91/100 {
		t.Errorf("%d of %d pixels are 0, want nine tenths", n, all)
	}
	if err := os.Remove(s.Path(0)); err != nil {
		t.Fatal(err)
	}
	again, err := Make(dir, k, width, 1)
	if err != nil || *again != *s {
		t.Errorf("again: %+v, %v, want %+v", again, err, s)
	}
	if _, err := os.Stat(s.Path(0)); err == nil {
		t.Error("it was made again")
	}
}
