"""Writes the golden frames with C-Blosc, next to this script.

    apt-get install python3-blosc && /usr/bin/python3 make_goldens.py

A file's name says how it was made and what it holds:
<data>-<bytes>_<codec>_<shuffle>_t<item size>[_<anything>].blosc
golden_test.go makes the same data and expects it back.
"""

import os
import struct

import blosc

HERE = os.path.dirname(os.path.abspath(__file__))
SHUFFLES = {"none": blosc.NOSHUFFLE, "byte": blosc.SHUFFLE, "bit": blosc.BITSHUFFLE}
CODECS = ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"]


def labels(n, ts):
    """n bytes of little-endian items of ts bytes: steps, some items one higher."""
    out = bytearray()
    noise = 12345
    for i in range((n + ts - 1) // ts):
        noise = (noise * 1664525 + 1013904223) & 0xFFFFFFFF
        v = ((i // 64 * 2654435761 & 0xFFFFFFFF) >> 20) + (noise >> 28 == 0)
        out += v.to_bytes(max(ts, 4), "little")[:ts]
    return bytes(out[:n])


def noise(n, ts):
    """n bytes that do not compress."""
    out = bytearray()
    x = 2463534242
    for _ in range(n):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        out.append(x >> 11 & 0xFF)
    return bytes(out)


def halfnoise(n, ts):
    """Noise in the first byte of each item, zeros in the others."""
    out = bytearray(n)
    out[::ts] = noise(n, ts)[::ts]
    return bytes(out)


def steps(n, ts):
    """Long runs."""
    return bytes(i >> 12 & 0xFF for i in range(n))


def far(n, ts):
    """Noise and zeros in turn, the same again after 9000 bytes, which is far for blosclz."""
    once = bytes(b if i % 64 < 40 else 0 for i, b in enumerate(noise(9000, ts)))
    return (once * (n // 9000 + 1))[:n]


DATA = {f.__name__: f for f in (labels, noise, halfnoise, steps, far)}


def frame(data, n, codec, shuffle, ts, level=5, block=0, threads=1, split="FORWARD_COMPAT"):
    os.environ["BLOSC_SPLITMODE"] = split
    blosc.set_nthreads(threads)
    blosc.set_blocksize(block)
    return blosc.compress(DATA[data](n, ts), ts, level, SHUFFLES[shuffle], codec)


def write(data, n, codec, shuffle, ts, more="", **how):
    put(data, n, codec, shuffle, ts, more, frame(data, n, codec, shuffle, ts, **how))


def put(data, n, codec, shuffle, ts, more, p):
    name = f"{data}-{n}_{codec}_{shuffle}_t{ts}{more}.blosc"
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(p)


def starts(p):
    nbytes, block = struct.unpack("<II", p[4:12])
    return struct.unpack(f"<{-(-nbytes // block)}I", p[16 : 16 + 4 * -(-nbytes // block)])


def main():
    # Three blocks and a short one, whose end is less than an item.
    for codec in CODECS:
        for shuffle in SHUFFLES:
            for ts in (1, 2, 4, 8):
                write("labels", 3 * 2048 + 813, codec, shuffle, ts, block=2048)
        for ts in (3, 16, 17, 64, 255):
            write("labels", 2 * 4080 + 999, codec, "byte", ts, block=4080)
        for split in ("ALWAYS", "NEVER"):
            write("labels", 5000, codec, "byte", 2, more="_" + split.lower(), block=2048, split=split)
        # Streams stored raw, or longer than what they hold, beside compressed ones.
        write("halfnoise", 4096, codec, "byte", 2, more="_stored", split="ALWAYS")
        write("halfnoise", 2048, codec, "none", 2, more="_barely")
        write("far", 18000, codec, "none", 1, level=9)
        # A number of items that fills rows of bits but not words of them.
        write("labels", 2048 + 72 * 8, codec, "bit", 8, block=2048)

    # Stored whole: too short, level 0, or nothing to gain.
    for n in (0, 1, 127, 128):
        write("labels", n, "lz4", "byte", 2)
    write("labels", 1000, "zstd", "bit", 2, more="_level0", level=0)
    write("noise", 1000, "blosclz", "byte", 8, more="_memcpyed")

    # Threads lay blocks down as they finish; try until two are out of order.
    for codec in ("lz4", "zstd"):
        for _ in range(10000):
            p = frame("steps", 1 << 19, codec, "byte", 8, level=9, block=1 << 14, threads=4)
            if list(starts(p)) != sorted(starts(p)):
                put("steps", 1 << 19, codec, "byte", 8, "_unordered", p)
                break
        else:
            raise SystemExit(f"{codec}: all blocks came in order")


main()
