/* The yardstick: libtiff, as a program that decodes into memory would use it.
 *
 *   libtiff names             prints the names of the table's rows
 *   libtiff write NAME FILE   makes that row's file
 *   libtiff read FILE         prints the sum of the pixels, and then, for each line
 *                             of standard input, the milliseconds of CPU time that
 *                             it takes to decode FILE in bands of 1024 rows
 *
 * cc -O2 -o libtiff libtiff.c -ltiff -lm   (Debian: libtiff-dev)
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <tiffio.h>

enum { BAND = 1024, STRIP = 64 << 10, TILE = 512 };

static void die(const char *what) {
	fprintf(stderr, "libtiff: %s\n", what);
	exit(1);
}

static struct row {
	const char *name, *mode;
	int bytes, side, compression, predictor, tiled;
} rows[] = {
	{"u8-none", "wl", 1, 8192, COMPRESSION_NONE, 1, 0},
	{"u8-lzw", "wl", 1, 8192, COMPRESSION_LZW, 1, 0},
	{"u8-deflate", "wl", 1, 8192, COMPRESSION_ADOBE_DEFLATE, 1, 0},
	{"u8-deflate-p2", "wl", 1, 8192, COMPRESSION_ADOBE_DEFLATE, 2, 0},
	{"u16-none", "wl", 2, 8192, COMPRESSION_NONE, 1, 0},
	{"u16-none-MM", "wb", 2, 8192, COMPRESSION_NONE, 1, 0},
	{"u16-none-big-tiles", "wl8", 2, 8192, COMPRESSION_NONE, 1, 1},
	{"u16-lzw", "wl", 2, 8192, COMPRESSION_LZW, 1, 0},
	{"u16-deflate", "wl", 2, 8192, COMPRESSION_ADOBE_DEFLATE, 1, 0},
	{"u16-zstd", "wl", 2, 8192, COMPRESSION_ZSTD, 1, 0},
	{"u64-deflate", "wl", 8, 4096, COMPRESSION_ADOBE_DEFLATE, 1, 0},
};

/* uniform is xorshift64*, from 0 to 1. */
static double uniform(void) {
	static uint64_t s = 5;
	s ^= s >> 12, s ^= s << 25, s ^= s >> 27;
	return (double)(s * 0x2545F4914F6CDD1DULL >> 11) / (1ULL << 53);
}

/* noise is nearly normal. */
static double noise(void) { return (uniform() + uniform() + uniform() + uniform() - 2) * sqrt(3); }

/* picture is what microscopes see, roughly: soft shapes under noise, of 8 or 12
 * bits; or segments' labels, 64 bits long, on a ground of zeros. */
static uint8_t *picture(int bytes, int side) {
	uint8_t *pix = malloc((size_t)side * side * bytes);
	if (!pix)
		die("no memory");
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++) {
			size_t i = (size_t)y * side + x;
			double v = 128 + 60 * sin(x / 37.) * cos(y / 23.) + 8 * noise();
			double dx = x % 160 - 80, dy = y % 96 - 48;
			int in = dx * dx / 4 + dy * dy < 1400 + 500 * sin(x / 160 + 3 * (y / 96));
			if (bytes == 1)
				pix[i] = v;
			else if (bytes == 2)
				((uint16_t *)pix)[i] = 16 * v;
			else
				((uint64_t *)pix)[i] = in ? 1000003ULL * (1 + x / 160 + 64 * (y / 96)) : 0;
		}
	return pix;
}

static void write_row(const char *name, struct row *r) {
	uint8_t *pix = picture(r->bytes, r->side);
	TIFF *t = TIFFOpen(name, r->mode);
	if (!t)
		die(name);
	size_t line = (size_t)r->side * r->bytes;
	TIFFSetField(t, TIFFTAG_IMAGEWIDTH, r->side);
	TIFFSetField(t, TIFFTAG_IMAGELENGTH, r->side);
	TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8 * r->bytes);
	TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
	TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
	TIFFSetField(t, TIFFTAG_COMPRESSION, r->compression);
	if (r->predictor != 1)
		TIFFSetField(t, TIFFTAG_PREDICTOR, r->predictor);
	if (r->tiled) {
		TIFFSetField(t, TIFFTAG_TILEWIDTH, TILE);
		TIFFSetField(t, TIFFTAG_TILELENGTH, TILE);
		static uint8_t tile[TILE * TILE * 8];
		for (int y = 0; y < r->side; y += TILE)
			for (int x = 0; x < r->side; x += TILE) {
				for (int i = 0; i < TILE; i++)
					memcpy(tile + i * TILE * r->bytes, pix + (y + i) * line + x * r->bytes, TILE * r->bytes);
				if (TIFFWriteTile(t, tile, x, y, 0, 0) < 0)
					die(name);
			}
	} else {
		int high = STRIP / line;
		uint8_t *strip = malloc(STRIP); /* the writer changes what it is given */
		TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, high);
		for (int y = 0; y < r->side; y += high) {
			memcpy(strip, pix + y * line, high * line);
			if (TIFFWriteEncodedStrip(t, y / high, strip, high * line) < 0)
				die(name);
		}
		free(strip);
	}
	TIFFClose(t);
}

static double cpu(void) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* decode decodes the file into one band after another. If total is not null,
 * it becomes the sum of all pixels, taken as words of eight bytes. */
static void decode(const char *name, uint8_t **band, uint8_t **tile, uint64_t *total) {
	TIFF *t = TIFFOpen(name, "r");
	if (!t)
		die(name);
	uint32_t width, height, high;
	uint16_t bits;
	TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(t, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetField(t, TIFFTAG_BITSPERSAMPLE, &bits);
	size_t bytes = bits / 8, line = width * bytes;
	if (!*band && (!(*band = calloc(BAND, line)) || !(*tile = malloc(TILE * TILE * bytes))))
		die("no memory");
	TIFFGetFieldDefaulted(t, TIFFTAG_ROWSPERSTRIP, &high);
	for (uint32_t top = 0; top < height; top += BAND) {
		for (uint32_t y = top; TIFFIsTiled(t) && y < top + BAND; y += TILE)
			for (uint32_t x = 0; x < width; x += TILE) {
				if (TIFFReadEncodedTile(t, TIFFComputeTile(t, x, y, 0, 0), *tile, TILE * TILE * bytes) < 0)
					die(name);
				for (int i = 0; i < TILE; i++)
					memcpy(*band + (y - top + i) * line + x * bytes, *tile + i * TILE * bytes, TILE * bytes);
			}
		for (uint32_t y = top; !TIFFIsTiled(t) && y < top + BAND; y += high)
			if (TIFFReadEncodedStrip(t, y / high, *band + (y - top) * line, high * line) < 0)
				die(name);
		for (size_t i = 0; total && i < BAND * line / 8; i++)
			*total += ((uint64_t *)*band)[i];
	}
	TIFFClose(t);
}

int main(int argc, char **argv) {
	struct row *end = rows + sizeof rows / sizeof *rows;
	if (argc == 2 && !strcmp(argv[1], "names")) {
		for (struct row *r = rows; r < end; r++)
			puts(r->name);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "write")) {
		for (struct row *r = rows; r < end; r++)
			if (!strcmp(r->name, argv[2]))
				return write_row(argv[3], r), 0;
		die("no such row");
	}
	if (argc == 3 && !strcmp(argv[1], "read")) {
		uint8_t *band = 0, *tile = 0;
		char line[16];
		uint64_t total = 0;
		decode(argv[2], &band, &tile, &total); /* the memory and the file's pages are there now */
		printf("%ju\n", (uintmax_t)total);
		fflush(stdout);
		while (fgets(line, sizeof line, stdin)) {
			double before = cpu();
			decode(argv[2], &band, &tile, 0);
			printf("%.3f\n", cpu() - before);
			fflush(stdout);
		}
		return 0;
	}
	die("names | write NAME FILE | read FILE");
}
