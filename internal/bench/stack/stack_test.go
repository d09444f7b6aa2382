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

// A sparse stack is nine tenths empty, and says so of its cuboids. What is there
// is not made again.
func TestSparse(t *testing.T) {
	dir, k := t.TempDir(), Kinds()[5]
	s, err := Make(dir, k, 4096, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Cuboids != 4 || s.Bytes != 4*1024*1024 {
		t.Errorf("%d cuboids of %d bytes, want the 4 in the middle", s.Cuboids, s.Bytes)
	}
	pixels := k.pixels(4096, 0)
	if n := bytes.Count(pixels, []byte{0}); n < len(pixels)*89/100 || n > len(pixels)*91/100 {
		t.Errorf("%d of %d pixels are 0, want nine tenths", n, len(pixels))
	}
	if err := os.Remove(s.Path(0)); err != nil {
		t.Fatal(err)
	}
	again, err := Make(dir, k, 4096, 1)
	if err != nil || *again != *s {
		t.Errorf("again: %+v, %v, want %+v", again, err, s)
	}
	if _, err := os.Stat(s.Path(0)); err == nil {
		t.Error("it was made again")
	}
}
