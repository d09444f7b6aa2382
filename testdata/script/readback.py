"""Compare a channel of a BOSS with the files it was made from, by other programs.

readback.py ACCESS_FILE COLL/EXP/CH FILE_PATTERN FIRST LAST [X Y Z]

FILE_PATTERN has a %d for the z of FIRST <= z < LAST; the image's first pixel
lies at X, Y in BOSS, and slice z at Z + z. Ends with status 1 at a difference.
"""
import configparser
import io
import sys
import urllib.request
import zlib

import numpy

cfg = configparser.ConfigParser()
cfg.read(sys.argv[1])
cfg = cfg["Default"]
channel, pattern, first, last = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
x, y, dz = (int(a) for a in sys.argv[6:9]) if len(sys.argv) > 6 else (0, 0, 0)


def image(path):
    if path.endswith(".png"):
        from PIL import Image
        return numpy.array(Image.open(path))
    import tifffile
    return tifffile.imread(path)


def cutout(w, h, z):
    url = f"{cfg['protocol']}://{cfg['host']}/v1/cutout/{channel}/0/{x}:{x + w}/{y}:{y + h}/{z}:{z + 1}/"
    request = urllib.request.Request(url, headers={
        "Authorization": "Token " + cfg["token"], "Accept": "application/npygz"})
    with urllib.request.urlopen(request) as answer:
        return numpy.load(io.BytesIO(zlib.decompress(answer.read())))[0]


for z in range(first, last):
    want = image(pattern % z)
    got = cutout(want.shape[1], want.shape[0], z + dz)
    if not numpy.array_equal(got, want):
        sys.exit(f"z {z}: {numpy.count_nonzero(got != want)} voxels differ")
print(f"{last - first} slices are equal")
