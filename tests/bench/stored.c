/* SPDX-License-Identifier: MIT */
/*
 * stored DIR PAGES PAIRS: pages read at random from the file tier in DIR,
 * beside io_uring alone on a file of its own there, one at a time and 64
 * together. A line a round: nanoseconds a page of tier and raw, one at a
 * time, then the same of 64 together.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ept/tier.h"

struct bench {
	struct tier *tier;
	struct io_uring ring;
	int fd;
	uint8_t *buffer; /* TIER_BATCH pages, aligned */
	uint64_t pages, *where, state;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t draw(struct bench *b)
{
	b->state = b->state * 6364136223846793005 + 1442695040888963407;
	return (b->state >> 33) % b->pages;
}

static uint8_t *slot(struct bench *b, unsigned i)
{
	return b->buffer + i * PAGE_SIZE;
}

/* Its own number in each page, so that a wrong one is seen. */
static void check(struct bench *b, unsigned i, uint64_t page)
{
	if (memcmp(slot(b, i), &page, sizeof(page)))
		errx(1, "page %lu came back wrong", page);
}

static void fill(struct bench *b)
{
	for (uint64_t p = 0; p < b->pages; p++) {
		struct tier_io io = { .page = b->buffer };

		memset(b->buffer, (int)(p % 251), PAGE_SIZE);
		memcpy(b->buffer, &p, sizeof(p));
		b->tier->ops->store(b->tier, &io, 1, true);
		b->where[p] = io.where;
		if (io.error || pwrite(b->fd, b->buffer, PAGE_SIZE,
				       (off_t)(p * PAGE_SIZE)) != PAGE_SIZE)
			errx(1, "cannot write");
	}
}

static void load_tier(struct bench *b, const uint64_t *page, unsigned n)
{
	struct tier_io io[TIER_BATCH];

	for (unsigned i = 0; i < n; i++)
		io[i] = (struct tier_io){ .page = slot(b, i),
					  .where = b->where[page[i]] };
	b->tier->ops->load(b->tier, io, n);
}

static void load_raw(struct bench *b, const uint64_t *page, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		io_uring_prep_read(io_uring_get_sqe(&b->ring), b->fd,
				   slot(b, i), PAGE_SIZE, page[i] * PAGE_SIZE);
	io_uring_submit_and_wait(&b->ring, n);
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cqe *cqe;

		if (io_uring_wait_cqe(&b->ring, &cqe) || cqe->res != PAGE_SIZE)
			errx(1, "io_uring failed");
		io_uring_cqe_seen(&b->ring, cqe);
	}
}

/* Nanoseconds a page, @n together. */
static double timed(struct bench *b, unsigned n,
		    void (*load)(struct bench *, const uint64_t *, unsigned))
{
	const unsigned runs = n == 1 ? 500 : 64;
	double start = now_ns();

	for (unsigned r = 0; r < runs; r++) {
		uint64_t page[TIER_BATCH];

		for (unsigned i = 0; i < n; i++)
			page[i] = draw(b);
		load(b, page, n);
		for (unsigned i = 0; i < n; i++)
			check(b, i, page[i]);
	}
	return (now_ns() - start) / runs / n;
}

/* With direct I/O, where the file system has it, as the tier does. */
static int open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT, 0600);

	if (fd < 0)
		fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		err(1, "%s", dir);
	return fd;
}

int main(int argc, char **argv)
{
	struct bench b = { .state = 1 };

	if (argc != 4)
		errx(2, "DIR PAGES PAIRS");
	b.pages = strtoul(argv[2], NULL, 0);
	b.where = calloc(b.pages, sizeof(b.where[0]));
	b.buffer = aligned_alloc(PAGE_SIZE, TIER_BATCH * PAGE_SIZE);
	b.fd = open_unnamed(argv[1]);
	if (!b.pages || !b.where || !b.buffer ||
	    ftruncate(b.fd, (off_t)(b.pages * PAGE_SIZE)) ||
	    posix_fallocate(b.fd, 0, (off_t)(b.pages * PAGE_SIZE)) ||
	    io_uring_queue_init(TIER_BATCH, &b.ring, 0) ||
	    tier_file_create(&b.tier, argv[1], b.pages * PAGE_SIZE))
		errx(1, "%s: no room for %lu pages", argv[1], b.pages);
	fill(&b);
	timed(&b, TIER_BATCH, load_raw); /* warm */
	for (int i = 0; i < atoi(argv[3]); i++) {
		double one = timed(&b, 1, load_tier);
		double raw = timed(&b, 1, load_raw) + timed(&b, 1, load_raw);

		one = (one + timed(&b, 1, load_tier)) / 2;
		printf("%.0f %.0f ", one, raw / 2);
		one = timed(&b, TIER_BATCH, load_tier);
		raw = timed(&b, TIER_BATCH, load_raw) +
		      timed(&b, TIER_BATCH, load_raw);
		one = (one + timed(&b, TIER_BATCH, load_tier)) / 2;
		printf("%.0f %.0f\n", one, raw / 2);
	}
	return 0;
}
