#!/usr/bin/python3
"""Writes the images of this directory with Pillow and netpbm, both by way of
libpng: make.py DIR writes DIR/good and DIR/refused.

(Debian: python3-numpy python3-pil netpbm.)

The voxel at x, y of an image of n bits is

    (((x*x + 3*y) ^ (x*y)) * 0x9E3779B97F4A7C15) mod 2**n

which pixel in raster_test.go says again. The file name begins with n.
"""
import os
import subprocess
import sys

import numpy
import PIL.Image

W, H = 37, 29
K = 0x9E3779B97F4A7C15


def pixels(bits):
    y, x = numpy.mgrid[0:H, 0:W].astype(numpy.uint64)
    with numpy.errstate(over='ignore'):
        v = ((x * x + numpy.uint64(3) * y) ^ (x * y)) * numpy.uint64(K)
    return v.astype('u%d' % (bits // 8))


def pillow(path, data, **how):
    PIL.Image.fromarray(data).save(path, format='PNG', **how)


def netpbm(path, data, *flags):
    head = b'P5 %d %d %d\n' % (W, H, 2 ** (8 * data.itemsize) - 1)
    pgm = head + data.astype('>u%d' % data.itemsize).tobytes()
    with open(path, 'wb') as f:
        subprocess.run(['pnmtopng', '-quiet', *flags], input=pgm, stdout=f, check=True)


def main(d):
    for sub in 'good', 'refused':
        os.makedirs(os.path.join(d, sub), exist_ok=True)
    good = lambda name: os.path.join(d, 'good', name)
    refused = lambda name: os.path.join(d, 'refused', name)
    for bits in 8, 16:
        pillow(good('%d-pillow.png' % bits), pixels(bits))
        netpbm(good('%d-interlaced.png' % bits), pixels(bits), '-interlace')
        # Each filter has to come up.
        for f in 'nofilter', 'sub', 'up', 'avg', 'paeth':
            netpbm(good('%d-%s.png' % (bits, f)), pixels(bits), '-' + f)
    pillow(good('8-stored.png'), pixels(8), compress_level=0)
    pillow(good('8-text.png'), pixels(8), dpi=(300, 300))
    PIL.Image.fromarray(pixels(8)).save(good('8-png-in-name-only.png'), format='TIFF')

    pillow(refused('rgb.png'), numpy.dstack([pixels(8)] * 3))
    pillow(refused('rgba.png'), numpy.dstack([pixels(8)] * 4))
    pillow(refused('alpha.png'), numpy.dstack([pixels(8)] * 2))
    PIL.Image.fromarray(pixels(8)).convert('P').save(refused('palette.png'))
    PIL.Image.fromarray(pixels(8)).save(refused('jpeg.png'), format='JPEG')
    PIL.Image.fromarray(pixels(8)).save(refused('gif.png'), format='GIF')


if __name__ == '__main__':
    main(sys.argv[1])
