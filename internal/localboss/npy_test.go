package localboss

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/voxel"
)

// deflate is an npygz body of these bytes.
func deflate(p string) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(p))
	z.Close()
	return b.Bytes()
}

// npy is a file of version 1 with this dictionary.
func npy(dict, data string) string {
	return npyMagic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))) + dict + data
}

func TestNPYGZ(t *testing.T) {
	shape := []int{1, 2, 3}
	for _, typ := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64} {
		want := bytes.Repeat([]byte{1, 2, 3}, 2*typ.Size())
		body, err := appendNPYGZ(nil, want, typ, shape)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readNPYGZ([]byte("before"), body, typ, shape)
		if err != nil || string(got) != "before"+string(want) {
			t.Errorf("%v: %v, %v", typ, got, err)
		}
		if head := appendNPYHeader(nil, typ, shape); len(head)%64 != 0 || head[len(head)-1] != '\n' {
			t.Errorf("%v: a header of %d bytes: %q", typ, len(head), head)
		}
	}

	const dict = "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2, 3), }\n"
	data := strings.Repeat("x", 12)
	anyError := errors.New("any error")
	for _, tt := range []struct {
		name, file string
		want       error
	}{
		{"as numpy writes it", npy(dict, data), nil},
		{"another order", npy(`{"shape":(1,2,3),"fortran_order":False,"descr":"<u2"}`, data), nil},
		{"version 2", npyMagic + "\x02\x00" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(dict)))) + dict + data, nil},
		{"big-endian", npy(strings.Replace(dict, "<", ">", 1), data), errDatatype},
		{"signed", npy(strings.Replace(dict, "u", "i", 1), data), errDatatype},
		{"other shape", npy(strings.Replace(dict, "2, 3", "3, 2", 1), data), errDimensions},
		{"one axis", npy(strings.Replace(dict, "1, 2, 3", "6,", 1), data), errDimensions},
		{"Fortran order", npy(strings.Replace(dict, "False", "True", 1), data), errFortran},
		{"no axis", npy(strings.Replace(dict, "1, 2, 3", "", 1), data), anyError},
		{"huge axis", npy(strings.Replace(dict, "1, 2", "1, 99999999999", 1), data), anyError},
		{"no shape", npy("{'descr': '<u2', 'fortran_order': False}", data), anyError},
		{"short", npy(dict, data[1:]), anyError},
		{"long", npy(dict, data+"x"), anyError},
		{"long header", npyMagic + "\x02\x00\xff\xff\xff\x7f" + dict, anyError},
		{"version 9", strings.Replace(npy(dict, data), "\x01", "\x09", 1), anyError},
		{"no npy", "something else altogether", anyError},
		{"empty", "", anyError},
	} {
		_, err := readNPYGZ(nil, deflate(tt.file), voxel.Uint16, shape)
		if !errors.Is(err, tt.want) && !(tt.want == anyError && err != nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	body := deflate(npy(dict, data))
	body[len(body)-1]++ // the checksum
	if _, err := readNPYGZ(nil, body, voxel.Uint16, shape); err == nil {
		t.Error("a wrong checksum is right")
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2, 3), }\n", "123456789012"))
	f.Add(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (9,)}", ""))
	f.Add(string(appendNPYHeader(nil, voxel.Uint64, []int{1, 0, 3, 4})))
	f.Fuzz(func(t *testing.T, file string) {
		h, err := readNPYHeader(strings.NewReader(file))
		if err == nil && (len(h.Shape) == 0 || slices.Min(h.Shape) < 0) {
			t.Errorf("shape %v", h.Shape)
		}
		for _, body := range [][]byte{[]byte(file), deflate(file)} {
			p, err := readNPYGZ(nil, body, voxel.Uint16, []int{1, 2, 3})
			if err == nil && len(p) != 12 {
				t.Errorf("%d bytes, want 12", len(p))
			}
		}
	})
}

// What find takes for a cutout has three names, a digit and ranges of digits.
func FuzzCutoutURL(f *testing.F) {
	for _, path := range []string{
		"/v1/cutout/c/e/ch/0/0:1/2:3/4:5/", "/v1/cutout/c/e/ch/0/0:1/2:3/4:5/6:7", "/v1/cutout/to_black/c/e/ch/0/0:1/2:3/4:5",
		"/v1/cutout/c/e/ch/10/0:1/2:3/4:5/", "/v1/cutout/c/e/ch/0/-1:1/2:3/4:5/", "/v1/cutout/c/e/ch/0/0:99999999999999999999/2:3/4:5",
		"/v1/collection/bad name", "/v1/meta/a/b", "/v1/coord/é", "/v1/downsample/a/b/c", "/v1/cutout/é/e/ch/0/0:1/2:3/4:5/\n",
	} {
		f.Add(path)
	}
	s := &Server{services: services()}
	f.Fuzz(func(t *testing.T, path string) {
		v, names := s.find(path)
		if v == nil || !strings.HasPrefix(v.prefix, "cutout/") {
			return
		}
		if len(names) != 8 || len(names[3]) != 1 || slices.Contains(names[:7], "") {
			t.Fatalf("%q gives %q", path, names)
		}
		if strings.ContainsAny(strings.Join(names[:3], ""), "/ :") {
			t.Errorf("%q gives %q", path, names)
		}
		for _, text := range names[4:] {
			if r := parseRange(text); r.Min < 0 || r.Max < 0 {
				t.Errorf("%q is %v", text, r)
			}
		}
	})
}

// merge against its slow twin, also where the voxels do not fill 8 bytes.
func TestMerge(t *testing.T) {
	pattern := []byte{0, 0, 1, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 1, 128, 127, 255, 1, 1, 1, 1, 0, 128, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7}
	for _, typ := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64} {
		size := typ.Size()
		for n := 0; n <= len(pattern); n += size {
			for shift := range len(pattern) {
				src := slices.Concat(pattern[shift:], pattern[:shift])[:n]
				got, want := bytes.Repeat([]byte{9}, n), bytes.Repeat([]byte{9}, n)
				merge(got, src, typ)
				for i := 0; i < n; i += size {
					if slices.Max(src[i:i+size]) != 0 {
						copy(want[i:], src[i:i+size])
					}
				}
				if !bytes.Equal(got, want) {
					t.Fatalf("%v: %v over 9s gives %v, want %v", typ, src, got, want)
				}
			}
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	src, dst := make([]byte, 1<<20), make([]byte, 1<<20)
	for i := range src {
		src[i] = byte(i * i >> 3)
	}
	for _, typ := range []voxel.Type{voxel.Uint8, voxel.Uint64} {
		b.Run(typ.String(), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				merge(dst, src, typ)
			}
		})
	}
}
