"""Change one voxel of a BOSS, by other programs than ndpush.

flip.py ACCESS_FILE COLL/EXP/CH TYPE X Y Z

The voxel gets another value, which is not zero. Prints both.
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
channel, kind = sys.argv[2:4]
x, y, z = (int(a) for a in sys.argv[4:7])
url = f"{cfg['protocol']}://{cfg['host']}/v1/cutout/{channel}/0/{x}:{x + 1}/{y}:{y + 1}/{z}:{z + 1}/"


def ask(body=None):
    request = urllib.request.Request(url, data=body, headers={
        "Authorization": "Token " + cfg["token"], "Accept": "application/npygz", "Content-Type": "application/npygz"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


voxel = numpy.load(io.BytesIO(zlib.decompress(ask()))).astype(kind)
old = int(voxel.flat[0])
voxel.flat[0] = old ^ 1 or 2
file = io.BytesIO()
numpy.save(file, voxel)
ask(zlib.compress(file.getvalue()))
print(f"{old} is {voxel.flat[0]}")
