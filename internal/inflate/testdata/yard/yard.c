/* How long libdeflate and zlib take to decode what zlib writes.
 *
 *	yard pack LEVEL STRIP FILE PACKED
 *	yard LIBRARY STRIP SIZE PACKED
 *
 * pack writes FILE as zlib streams of STRIP bytes each, and before each its
 * length, in four bytes of this machine. The libraries are zlib and libdeflate:
 * they print the nanoseconds of CPU time that it takes to decode all streams, of
 * SIZE bytes together, from memory. They are decoded once before.
 *
 * Build: cc -O2 yard.c -lz -ldeflate
 */
#include <libdeflate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>

struct bytes {
	unsigned char *p;
	size_t n;
};

static void fail(const char *why)
{
	fprintf(stderr, "yard: %s\n", why);
	exit(1);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static struct bytes slurp(const char *file)
{
	struct bytes b;
	FILE *f = fopen(file, "rb");
	if (!f || fseek(f, 0, SEEK_END))
		fail("cannot read");
	b.n = ftell(f);
	rewind(f);
	b.p = malloc(b.n);
	if (fread(b.p, 1, b.n, f) != b.n)
		fail("cannot read");
	fclose(f);
	return b;
}

static void pack(int level, size_t strip, struct bytes data, const char *file)
{
	FILE *f = fopen(file, "wb");
	unsigned char *to = malloc(compressBound(strip));
	if (!f)
		fail("cannot write");
	for (size_t at = 0; at < data.n; at += strip) {
		uLongf n = compressBound(strip);
		if (compress2(to, &n, data.p + at, least(strip, data.n - at), level) != Z_OK)
			fail("cannot pack");
		uint32_t length = n;
		if (!fwrite(&length, 4, 1, f) || !fwrite(to, n, 1, f))
			fail("cannot write");
	}
	if (fclose(f))
		fail("cannot write");
}

static void by_libdeflate(struct bytes in, unsigned char *to, size_t n)
{
	static struct libdeflate_decompressor *d;
	if (!d)
		d = libdeflate_alloc_decompressor();
	if (libdeflate_zlib_decompress(d, in.p, in.n, to, n, NULL) != LIBDEFLATE_SUCCESS)
		fail("libdeflate");
}

static void by_zlib(struct bytes in, unsigned char *to, size_t n)
{
	static z_stream z;
	if (!z.state)
		inflateInit(&z);
	inflateReset(&z);
	z.next_in = in.p;
	z.avail_in = in.n;
	z.next_out = to;
	z.avail_out = n;
	if (inflate(&z, Z_FINISH) != Z_STREAM_END || z.avail_out)
		fail("zlib");
}

static void unpack(void (*by)(struct bytes, unsigned char *, size_t), size_t strip, struct bytes in, unsigned char *to, size_t size)
{
	for (size_t at = 0; at < size; at += strip) {
		uint32_t n;
		memcpy(&n, in.p, 4);
		by((struct bytes){in.p + 4, n}, to + at, least(strip, size - at));
		in.p += 4 + n;
	}
}

static int64_t cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "pack")) {
		pack(atoi(argv[2]), atoll(argv[3]), slurp(argv[4]), argv[5]);
		return 0;
	}
	if (argc != 5 || (strcmp(argv[1], "zlib") && strcmp(argv[1], "libdeflate")))
		fail("pack LEVEL STRIP FILE PACKED, or LIBRARY STRIP SIZE PACKED");
	size_t strip = atoll(argv[2]), size = atoll(argv[3]);
	struct bytes in = slurp(argv[4]);
	unsigned char *to = malloc(size);
	unpack(*argv[1] == 'z' ? by_zlib : by_libdeflate, strip, in, to, size);
	int64_t before = cpu();
	unpack(*argv[1] == 'z' ? by_zlib : by_libdeflate, strip, in, to, size);
	printf("%lld\n", (long long)(cpu() - before));
	return 0;
}
