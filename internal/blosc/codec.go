package blosc

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// decompress fills dst from the codec's stream src, neither more nor less.
func (d *Decoder) decompress(dst, src []byte, c Codec) (err error) {
	var n int
	switch c {
	case BloscLZ:
		n, err = blosclz(dst, src)
	case LZ4:
		n, err = lz4.UncompressBlock(src, dst)
	case Snappy:
		n, err = unsnappy(dst, src)
	case Zlib:
		n, err = d.inflate(dst, src)
	case Zstd:
		n, err = d.unzstd(dst, src)
	}
	if err != nil {
		return err
	}
	if n != len(dst) {
		return fmt.Errorf("stream holds %d bytes, want %d", n, len(dst))
	}
	return nil
}

func unsnappy(dst, src []byte) (int, error) {
	n, err := snappy.DecodedLen(src)
	if err != nil || n != len(dst) { // Decode would take memory for n bytes
		return n, err
	}
	_, err = snappy.Decode(dst, src)
	return n, err
}

func (d *Decoder) unzstd(dst, src []byte) (int, error) {
	if d.zstd == nil {
		var err error
		d.zstd, err = zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1), // no goroutines
			zstd.WithDecodeAllCapLimit(true),
		)
		if err != nil {
			return 0, err
		}
	}
	out, err := d.zstd.DecodeAll(src, dst[:0:len(dst)])
	return len(out), err
}

// inflate also asks for the byte after the last: only then the checksum is
// looked at, and what is too much noticed.
func (d *Decoder) inflate(dst, src []byte) (int, error) {
	d.in.Reset(src)
	if err := d.openZlib(); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(d.zlib, dst)
	if err != nil {
		return n, err
	}
	switch more, err := d.zlib.Read(d.one[:]); {
	case err != io.EOF:
		return n + more, err
	case d.in.Len() > 0:
		return n, fmt.Errorf("%d bytes after the stream", d.in.Len())
	}
	return n, nil
}

func (d *Decoder) openZlib() (err error) {
	if d.zlib == nil {
		d.zlib, err = zlib.NewReader(&d.in)
		return err
	}
	return d.zlib.(zlib.Resetter).Reset(&d.in, nil)
}
