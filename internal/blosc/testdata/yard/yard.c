/*
 * C-Blosc as a yardstick for yard_test.go: requests on stdin, answers on stdout.
 *
 * A request is a line and the bytes it announces:
 *
 *	data N                                            N bytes to encode
 *	frame N                                           N bytes to decode
 *	encode CODEC SHUFFLE ITEM-SIZE LEVEL BLOCK TIMES
 *	decode TIMES
 *	give
 *
 * The answer to encode and decode is a line: the nanoseconds of processor time
 * that one of so many times took, and the bytes that came out. encode leaves the
 * frame to be decoded; the answer to give is that frame.
 */
#include <blosc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void die(const char *what)
{
	fprintf(stderr, "yard: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return 1e9 * t.tv_sec + t.tv_nsec;
}

static char *take(size_t n)
{
	char *p = malloc(n + BLOSC_MAX_OVERHEAD);
	if (p == NULL)
		die("no memory");
	memset(p, 1, n + BLOSC_MAX_OVERHEAD); /* now is when it becomes memory */
	return p;
}

static char *receive(size_t n)
{
	char *p = take(n);
	if (fread(p, 1, n, stdin) != n)
		die("input ends");
	return p;
}

int main(void)
{
	char line[200], codec[20], *data = NULL, *frame = NULL, *back = NULL;
	size_t n = 0, m;
	int shuffle, size, level, block, times, len = 0;

	blosc_init();
	blosc_set_nthreads(1);
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (sscanf(line, "data %zu", &m) == 1) {
			free(data);
			free(frame);
			free(back);
			data = receive(n = m);
			frame = take(n);
			back = take(n);
			continue;
		}
		if (sscanf(line, "frame %zu", &m) == 1) {
			if (m > n + BLOSC_MAX_OVERHEAD || fread(frame, 1, m, stdin) != m)
				die("a frame that cannot be");
			len = m;
			continue;
		}
		if (strcmp(line, "give\n") == 0) {
			fwrite(frame, 1, len, stdout);
			fflush(stdout);
			continue;
		}
		double took;
		if (sscanf(line, "encode %19s %d %d %d %d %d", codec, &shuffle, &size, &level, &block, &times) == 6) {
			if (blosc_set_compressor(codec) < 0)
				die("unknown codec");
			blosc_set_blocksize(block);
			took = -now();
			for (int i = 0; i < times; i++)
				if ((len = blosc_compress(level, shuffle, size, n, data, frame, n + BLOSC_MAX_OVERHEAD)) <= 0)
					die("encode");
			took += now();
		} else if (sscanf(line, "decode %d", &times) == 1) {
			took = -now();
			for (int i = 0; i < times; i++)
				if (blosc_decompress(frame, back, n) != (int)n)
					die("decode");
			took += now();
			if (memcmp(back, data, n) != 0)
				die("decodes to something else");
		} else {
			die(line);
		}
		printf("%.0f %d\n", took / times, len);
		fflush(stdout);
	}
	return 0;
}
