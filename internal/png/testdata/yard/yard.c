/* What libpng writes, and how long it takes to read it.
 *
 *	yard write KIND SIDE FILE
 *	yard read FILE ROWS
 *
 * The kinds are those of pixel, in which libpng chooses the filters, or all of
 * Paeth's if "-paeth" is behind them. read prints the nanoseconds of CPU time that
 * it takes to read the file, which is in memory, in bands of that many rows, as
 * ReadRows gives them. It is read once before.
 *
 * Build: cc -O2 yard.c -lpng -lm
 */
#include <math.h>
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void fail(const char *why)
{
	fprintf(stderr, "yard: %s\n", why);
	exit(1);
}

/* noise is xorshift64*. */
static uint32_t noise(void)
{
	static uint64_t s = 88172645463325252u;
	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	return (uint32_t)(s * 2685821657736338717u >> 32);
}

/* tissue is what electron microscopes see, roughly: soft shapes under noise that
 * is nearly normal, with a standard deviation of 8. */
static int tissue(int x, int y)
{
	static double sx[1 << 16], cy[1 << 16];
	if (sx[1] == 0)
		for (int i = 0; i < 1 << 16; i++) {
			sx[i] = sin(i / 37.);
			cy[i] = cos(i / 23.);
		}
	double sum = 0;
	for (int i = 0; i < 3; i++) {
		uint32_t v = noise();
		sum += (v & 0xffff) + (v >> 16);
	}
	return (int)(128 + 60 * sx[x] * cy[y] + 8 * 1.414 * (sum / 65536 - 3));
}

static int pixel(const char *kind, int x, int y, int side)
{
	int outside = x < (int64_t)side * (y % 700) / 1500;
	int label = (x / 37) * 31 + (y + x % 11) / 29;
	if (!strcmp(kind, "masked8") && outside)
		return 0;
	if (!strcmp(kind, "em8") || !strcmp(kind, "masked8"))
		return tissue(x, y);
	if (!strcmp(kind, "em16"))
		return tissue(x, y) * 16 + noise() % 64;
	if (!strcmp(kind, "labels8"))
		return label & 255;
	if (!strcmp(kind, "mask1"))
		return !outside && label % 3 == 0;
	fail("no such kind");
	return 0;
}

static void write_png(char *kind, int side, const char *file)
{
	char *paeth = strstr(kind, "-paeth");
	if (paeth)
		*paeth = 0;
	FILE *f = fopen(file, "wb");
	png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	int bits = !strcmp(kind, "em16") ? 16 : !strcmp(kind, "mask1") ? 1 : 8;
	png_bytep row = malloc(2 * side);
	if (!f || setjmp(png_jmpbuf(p)))
		fail("cannot write");
	png_init_io(p, f);
	png_set_IHDR(p, info, side, side, bits, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
	png_set_compression_level(p, 6);
	if (paeth)
		png_set_filter(p, 0, PNG_FILTER_PAETH);
	png_write_info(p, info);
	png_set_packing(p);
	for (int y = 0; y < side; y++) {
		for (int x = 0; x < side; x++) {
			int v = pixel(kind, x, y, side);
			if (bits == 16) {
				row[2 * x] = v >> 8;
				row[2 * x + 1] = v;
			} else
				row[x] = v;
		}
		png_write_row(p, row);
	}
	png_write_end(p, info);
	png_destroy_write_struct(&p, &info);
	if (fclose(f))
		fail("cannot write");
}

struct memory {
	png_bytep p;
	size_t n, at;
};

static void from_memory(png_structp p, png_bytep to, png_size_t n)
{
	struct memory *m = png_get_io_ptr(p);
	if (n > m->n - m->at)
		png_error(p, "too short");
	memcpy(to, m->p + m->at, n);
	m->at += n;
}

static struct memory slurp(const char *file)
{
	struct memory m = {0};
	FILE *f = fopen(file, "rb");
	if (!f || fseek(f, 0, SEEK_END))
		fail("cannot read");
	m.n = ftell(f);
	rewind(f);
	m.p = malloc(m.n);
	if (fread(m.p, 1, m.n, f) != m.n)
		fail("cannot read");
	fclose(f);
	return m;
}

static void read_png(struct memory m, int rows, png_bytep *band, size_t *had)
{
	png_structp p = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(p);
	if (setjmp(png_jmpbuf(p)))
		fail("cannot read");
	png_set_read_fn(p, &m, from_memory);
	png_read_info(p, info);
	png_set_packing(p);
	png_set_swap(p);
	png_read_update_info(p, info);
	size_t n = png_get_rowbytes(p, info);
	if (*had < n * rows)
		*band = realloc(*band, *had = n * rows);
	for (int y = 0; y < (int)png_get_image_height(p, info); y++)
		png_read_row(p, *band + y % rows * n, NULL);
	png_read_end(p, NULL);
	png_destroy_read_struct(&p, &info, NULL);
}

static int64_t cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "write")) {
		write_png(argv[2], atoi(argv[3]), argv[4]);
		return 0;
	}
	if (argc != 4 || strcmp(argv[1], "read"))
		fail("write KIND SIDE FILE, or read FILE ROWS");
	struct memory m = slurp(argv[2]);
	png_bytep band = NULL;
	size_t had = 0;
	read_png(m, atoi(argv[3]), &band, &had);
	int64_t before = cpu();
	read_png(m, atoi(argv[3]), &band, &had);
	printf("%lld\n", (long long)(cpu() - before));
	return 0;
}
