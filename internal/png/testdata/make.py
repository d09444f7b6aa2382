#!/usr/bin/python3
"""Writes the images of this directory with Pillow and netpbm, both by way of
libpng: make.py DIR writes DIR/good and DIR/refused.

(Debian: python3-numpy python3-pil netpbm.)

The pixel at x, y of an image of n bits is the highest n of the lowest 16 bits of

    ((x*x + 3*y) ^ (x*y)) * 0x9E37

which pixel in png_test.go says again. The file name begins with n.
"""
import os
import subprocess
import sys

import numpy
import PIL.Image
import PIL.PngImagePlugin

W, H = 37, 29


def pixels(bits):
    y, x = numpy.mgrid[0:H, 0:W]
    v = (((x * x + 3 * y) ^ (x * y)) * 0x9E37 & 0xffff) >> (16 - bits)
    return v.astype('u2' if bits == 16 else 'u1')


def netpbm(path, bits, *flags):
    head = b'P5 %d %d %d\n' % (W, H, 2 ** bits - 1)
    data = pixels(bits)
    pgm = head + data.astype('>u%d' % data.itemsize).tobytes()
    with open(path, 'wb') as f:
        subprocess.run(['pnmtopng', '-quiet', *flags], input=pgm, stdout=f, check=True)


def pillow(path, data, **how):
    PIL.Image.fromarray(data).save(path, format='PNG', **how)


def main(d):
    for sub in 'good', 'refused':
        os.makedirs(os.path.join(d, sub), exist_ok=True)
    good = lambda name: os.path.join(d, 'good', name)
    refused = lambda name: os.path.join(d, 'refused', name)
    for bits in 1, 2, 4, 8, 16:
        netpbm(good('%d-interlaced.png' % bits), bits, '-interlace')
        for f in 'nofilter', 'paeth':
            netpbm(good('%d-%s.png' % (bits, f)), bits, '-' + f)
    for f in 'sub', 'up', 'avg':
        netpbm(good('16-%s.png' % f), 16, '-' + f)
    for bits in 8, 16:
        pillow(good('%d-pillow.png' % bits), pixels(bits))
    pillow(good('1-pillow.png'), pixels(1) > 0)
    pillow(good('8-stored.png'), pixels(8), compress_level=0)
    # What is said about colour and light changes no value.
    pillow(good('8-transparent.png'), pixels(8), transparency=7)
    netpbm(good('16-transparent-interlaced.png'), 16, '-interlace', '-transparent', '=black')
    netpbm(good('8-colour.png'), 8, '-gamma', '0.45', '-background', 'black')
    info = PIL.PngImagePlugin.PngInfo()
    info.add(b'sBIT', b'\x05')
    info.add_text('Comment', 'above', zip=True)
    pillow(good('8-text.png'), pixels(8), pnginfo=info, icc_profile=b'x' * 200)

    pillow(refused('rgb.png'), numpy.dstack([pixels(8)] * 3))
    pillow(refused('rgba.png'), numpy.dstack([pixels(8)] * 4))
    pillow(refused('alpha.png'), numpy.dstack([pixels(8)] * 2))
    PIL.Image.fromarray(pixels(8)).convert('P').save(refused('palette.png'))


if __name__ == '__main__':
    main(sys.argv[1])
