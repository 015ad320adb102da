/* SPDX-License-Identifier: MIT */
/*
 * raw_nbd URI PAGES: pages read at random from an NBD server through libnbd,
 * one at a time and 64 in flight. Nanoseconds a page of each, on one line.
 */
#include <err.h>
#include <libnbd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAGE   4096
#define DEPTH  64
#define ROUNDS 64

static uint64_t pages, state = 1;
static char buffer[DEPTH][PAGE];

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t draw(void)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % pages * PAGE;
}

static void read_one(struct nbd_handle *nbd)
{
	if (nbd_pread(nbd, buffer[0], PAGE, draw(), 0))
		errx(1, "%s", nbd_get_error());
}

static void read_many(struct nbd_handle *nbd)
{
	int64_t cookie[DEPTH];

	for (unsigned i = 0; i < DEPTH; i++)
		cookie[i] = nbd_aio_pread(nbd, buffer[i], PAGE, draw(),
					  NBD_NULL_COMPLETION, 0);
	for (unsigned i = 0; i < DEPTH; i++)
		while (nbd_aio_command_completed(nbd, cookie[i]) == 0)
			if (nbd_poll(nbd, -1) < 0)
				errx(1, "%s", nbd_get_error());
}

static double timed(struct nbd_handle *nbd, unsigned runs,
		    void (*run)(struct nbd_handle *))
{
	double start = now_ns();

	for (unsigned i = 0; i < runs; i++)
		run(nbd);
	return (now_ns() - start) / runs;
}

int main(int argc, char **argv)
{
	struct nbd_handle *nbd = nbd_create();

	if (argc != 3 || !nbd)
		errx(2, "URI PAGES");
	pages = strtoul(argv[2], NULL, 0);
	if (nbd_connect_uri(nbd, argv[1]))
		errx(1, "%s", nbd_get_error());
	for (uint64_t p = 0; p < pages; p++) /* or the server has holes */
		if (nbd_pwrite(nbd, buffer[0], PAGE, p * PAGE, 0))
			errx(1, "%s", nbd_get_error());
	timed(nbd, ROUNDS, read_many);
	printf("%.0f ", timed(nbd, ROUNDS * 8, read_one));
	printf("%.0f\n", timed(nbd, ROUNDS, read_many) / DEPTH);
	return 0;
}
