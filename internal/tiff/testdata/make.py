#!/usr/bin/python3
"""Writes the images of this directory with tifffile and libtiff's tiffcp.

    make.py DIR        the committed ones, into DIR/good, DIR/large, DIR/pages and DIR/refused
    make.py DIR all    every combination, for the test against the live programs

(Debian: python3-tifffile python3-numpy python3-pil libtiff-tools.)

The voxel at x, y of an image of n bits is

    (((x*x + 3*y) ^ (x*y)) * 0x9E3779B97F4A7C15) mod 2**n

which pixel in tiff_test.go says again. The file name begins with n.
"""
import itertools
import os
import subprocess
import sys

import numpy
import PIL.Image
import tifffile

W, H = 37, 29
K = 0x9E3779B97F4A7C15
LAYOUTS = {'strips': dict(rowsperstrip=5), 'single': dict(rowsperstrip=H), 'tiles': dict(tile=(16, 32))}


def pixels(bits, w=W, h=H):
    y, x = numpy.mgrid[0:h, 0:w].astype(numpy.uint64)
    with numpy.errstate(over='ignore'):
        v = ((x * x + numpy.uint64(3) * y) ^ (x * y)) * numpy.uint64(K)
    return v.astype('u%d' % (bits // 8))


def write(path, data, **how):
    how.setdefault('photometric', 'minisblack')
    how.setdefault('metadata', None)
    tifffile.imwrite(path, data, **how)


def matrix(d):
    """Types, codecs, layouts, byte orders, sizes of offsets and predictors, by tifffile."""
    for bits, codec, layout, order, big in itertools.product(
            (8, 16, 32, 64), (None, 8, 32946), LAYOUTS, '<>', (False, True)):
        # tifffile has no differences of 64 bits; tiffcp below has.
        for predictor in (False, True) if codec and bits < 64 else (False,):
            name = '%d-%s-%s-%s-%s-p%d.tif' % (
                bits, codec or 'none', layout, {'<': 'II', '>': 'MM'}[order], 'big' if big else 'classic', 1 + predictor)
            yield name, lambda path, bits=bits, codec=codec, layout=layout, order=order, big=big, predictor=predictor: write(
                path, pixels(bits), compression=codec, predictor=predictor, byteorder=order, bigtiff=big, **LAYOUTS[layout])


def libtiff(d):
    """Codecs, layouts and byte orders, by tiffcp."""
    layouts = {'strips': ['-s', '-r', '7'], 'single': ['-s', '-r', str(H)], 'tiles': ['-t', '-w', '16', '-l', '16']}
    codecs = ['none', 'zip', 'zip:2', 'lzw', 'lzw:2', 'packbits', 'zstd', 'zstd:2']
    for bits, codec, layout, order, big in itertools.product(
            (8, 16, 32, 64), codecs, layouts, ('-L', '-B'), (False, True)):
        name = '%d-tiffcp-%s-%s%s%s.tif' % (bits, codec.replace(':', 'p'), layout, order, '-8' if big else '')

        def run(path, bits=bits, codec=codec, layout=layout, order=order, big=big):
            write(path + '.in', pixels(bits))
            subprocess.run(['tiffcp', *(['-8'] if big else []), '-c', codec, order, *layouts[layout], path + '.in', path], check=True)
            os.remove(path + '.in')
        yield name, run


def large(d):
    """Zstandard in segments of more than a MiB, which is decoded another way: a pixel of 16 bits is (x >> 4) * (y >> 4)."""
    y, x = numpy.mgrid[0:900, 0:1000].astype(numpy.uint16)
    for codec in 'zstd', 'zstd:2':
        for layout, how in ('single', ['-s', '-r', '900']), ('tiles', ['-t', '-w', '1008', '-l', '880']):
            def run(path, codec=codec, how=how):
                write(path + '.in', (x >> 4) * (y >> 4))
                subprocess.run(['tiffcp', '-c', codec, *how, path + '.in', path], check=True)
                os.remove(path + '.in')
            yield '16-%s-%s.tif' % (codec.replace(':', 'p'), layout), run


def odd(d):
    """What is read although something is unusual."""
    yield '16-miniswhite.tif', lambda p: write(p, pixels(16), photometric='miniswhite')
    yield '16-imagej.tif', lambda p: tifffile.imwrite(p, pixels(16), imagej=True)
    yield '8-ome.ome.tif', lambda p: tifffile.imwrite(p, pixels(8))
    yield '8-pillow-lzw.tif', lambda p: PIL.Image.fromarray(pixels(8)).save(p, compression='tiff_lzw')
    yield '16-pillow.tif', lambda p: PIL.Image.fromarray(pixels(16)).save(p)

    def thumbnail(p):
        with tifffile.TiffWriter(p) as t:
            t.write(pixels(8), photometric='minisblack', metadata=None)
            t.write(pixels(8, 9, 7), photometric='minisblack', metadata=None, subfiletype=1)
            t.write(pixels(8, 5, 3), photometric='minisblack', metadata=None)
    yield '8-thumbnail.tif', thumbnail


def pages(d):
    """Files of three pages: to each pixel of 8 bits that of page k, counted from 0, adds k."""
    stack = numpy.stack([pixels(8) + numpy.uint8(k) for k in range(3)])
    yield 'stack.tif', lambda p: write(p, stack)
    yield 'imagej.tif', lambda p: tifffile.imwrite(p, stack, imagej=True)
    yield 'imagej-hidden.tif', lambda p: tifffile.imwrite(p, stack, imagej=True, truncate=True)

    def mixed(p):
        with tifffile.TiffWriter(p, bigtiff=True, byteorder='>') as t:
            t.write(stack[0], photometric='minisblack', metadata=None, tile=(16, 16))
            t.write(stack[1], photometric='minisblack', metadata=None, compression=8, predictor=True)
            t.write(stack[2], photometric='miniswhite', metadata=None, rowsperstrip=3)
    yield 'mixed.tif', mixed


def refused(d):
    """What is not read. The name says why."""
    i16 = pixels(16).view('i2')
    yield 'signed.tif', lambda p: write(p, i16)
    yield 'float.tif', lambda p: write(p, pixels(16).astype('f4'))
    yield 'rgb.tif', lambda p: write(p, numpy.dstack([pixels(8)] * 3), photometric='rgb')
    yield 'planar.tif', lambda p: write(p, numpy.stack([pixels(8)] * 3), photometric='rgb', planarconfig='separate')
    yield 'alpha.tif', lambda p: PIL.Image.fromarray(numpy.dstack([pixels(8)] * 2), 'LA').save(p)
    yield 'palette.tif', lambda p: write(p, pixels(8), photometric='palette', colormap=numpy.zeros((3, 256), 'u2'))
    yield 'bilevel.tif', lambda p: PIL.Image.fromarray(pixels(8) > 100).save(p)
    yield 'jpeg.tif', lambda p: PIL.Image.fromarray(pixels(8)).save(p, compression='jpeg')
    yield 'stack.tif', lambda p: write(p, numpy.stack([pixels(8)] * 3))
    yield 'imagej-stack.tif', lambda p: tifffile.imwrite(p, numpy.stack([pixels(8)] * 3), imagej=True)
    yield 'imagej-hidden-stack.tif', lambda p: tifffile.imwrite(p, numpy.stack([pixels(8)] * 3), imagej=True, truncate=True)
    yield 'ome-stack.ome.tif', lambda p: tifffile.imwrite(p, numpy.stack([pixels(8)] * 3))


# What is committed of the combinations: each value of each column, and the
# pairs that code treats together (type and byte order, codec and layout).
COMMITTED = {
    '8-none-strips-II-classic-p1.tif', '8-none-single-MM-big-p1.tif', '16-none-strips-MM-classic-p1.tif',
    '16-none-tiles-MM-classic-p1.tif', '32-none-tiles-MM-big-p1.tif', '64-none-single-MM-classic-p1.tif',
    '8-8-strips-MM-classic-p2.tif', '8-8-tiles-II-big-p1.tif', '16-8-single-MM-classic-p2.tif',
    '16-8-tiles-MM-classic-p2.tif', '32-8-single-II-big-p2.tif', '32-8-strips-MM-classic-p2.tif',
    '64-8-single-MM-big-p1.tif', '64-tiffcp-zipp2-tiles-B-8.tif', '16-32946-strips-II-classic-p1.tif',
    '8-tiffcp-none-tiles-L.tif', '8-tiffcp-zip-single-B.tif', '16-tiffcp-zipp2-tiles-B.tif', '64-tiffcp-zip-strips-L-8.tif',
    '8-tiffcp-lzw-strips-L.tif', '16-tiffcp-lzwp2-single-B.tif', '32-tiffcp-lzwp2-tiles-L-8.tif',
    '8-tiffcp-packbits-strips-L.tif', '16-tiffcp-packbits-tiles-B.tif',
    '8-tiffcp-zstd-strips-L.tif', '16-tiffcp-zstdp2-strips-B.tif', '32-tiffcp-zstd-tiles-B-8.tif', '64-tiffcp-zstdp2-strips-L.tif',
}


def main(d, everything=False):
    for sub, makers in ('good', (matrix, libtiff, odd)), ('large', (large,)), ('pages', (pages,)), ('refused', (refused,)):
        os.makedirs(os.path.join(d, sub), exist_ok=True)
        for maker in makers:
            for name, make in maker(d):
                if everything or maker in (large, pages, odd, refused) or name in COMMITTED:
                    make(os.path.join(d, sub, name))


if __name__ == '__main__':
    main(sys.argv[1], len(sys.argv) > 2)
