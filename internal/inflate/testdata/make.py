#!/usr/bin/python3
"""Writes streams of zlib's to DIR: make.py DIR.

Their data are 9000 bytes, of which byte i is

    i < 3000:  (i*i >> 6) mod 256
    i < 6000:  (i*0x9E3779B1 >> 24) mod 16
    else:      i mod 7 if i mod 1000 < 500, else 0

which data in golden_test.go says again.
"""
import os
import sys
import zlib

DATA = bytes((i * i >> 6) & 255 if i < 3000 else (i * 0x9E3779B1 >> 24) & 15 if i < 6000
             else i % 7 if i % 1000 < 500 else 0 for i in range(9000))


def write(path, level=6, wbits=15, memory=8, strategy=zlib.Z_DEFAULT_STRATEGY, flush=None):
    z = zlib.compressobj(level, zlib.DEFLATED, wbits, memory, strategy)
    out = b''
    for i in range(0, len(DATA), 700):
        out += z.compress(DATA[i:i + 700])
        if flush is not None:
            out += z.flush(flush)
    with open(path, 'wb') as f:
        f.write(out + z.flush())


def main(d):
    name = lambda n: os.path.join(d, n + '.z')
    for level in range(10):
        write(name('level%d' % level), level)
    write(name('fixed'), strategy=zlib.Z_FIXED)
    write(name('huffman'), strategy=zlib.Z_HUFFMAN_ONLY)
    write(name('rle'), strategy=zlib.Z_RLE)
    write(name('filtered'), strategy=zlib.Z_FILTERED)
    write(name('window512'), wbits=9)
    write(name('memory1'), memory=1)
    write(name('sync'), flush=zlib.Z_SYNC_FLUSH)  # with empty stored blocks
    write(name('partial'), flush=zlib.Z_PARTIAL_FLUSH)  # with empty fixed blocks


if __name__ == '__main__':
    main(sys.argv[1])
