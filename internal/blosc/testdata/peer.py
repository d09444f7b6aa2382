"""C-Blosc as a peer for interop_test.go: requests on stdin, answers on stdout.

A request is a line, "compress <codec> <shuffle> <item size> <level>
<block size> <threads> <bytes>" or "decompress <bytes>", and that many bytes.
The answer is a line with a number of bytes, and these. "ready" comes first.
"""

import sys

import blosc

SHUFFLES = {"none": blosc.NOSHUFFLE, "byte": blosc.SHUFFLE, "bit": blosc.BITSHUFFLE}


def answer(p):
    sys.stdout.buffer.write(b"%d\n" % len(p) + p)
    sys.stdout.buffer.flush()


print("ready", flush=True)
for line in sys.stdin.buffer:
    verb, *args, n = line.decode().split()
    body = sys.stdin.buffer.read(int(n))
    if verb == "decompress":
        answer(blosc.decompress(body))
        continue
    codec, shuffle, size, level, block, threads = args
    blosc.set_blocksize(int(block))
    blosc.set_nthreads(int(threads))
    answer(blosc.compress(body, int(size), int(level), SHUFFLES[shuffle], codec))
