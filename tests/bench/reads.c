/* SPDX-License-Identifier: MIT */
#include "tests/bench/reads.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void load_fn(struct reads *r, const uint64_t *page, unsigned n);

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t draw(struct reads *r)
{
	r->state = r->state * 6364136223846793005 + 1442695040888963407;
	return (r->state >> 33) % r->pages;
}

uint8_t *reads_page(struct reads *r, unsigned i)
{
	return r->buffer + i * PAGE_SIZE;
}

/* Its own number in each page, so that a wrong one is seen. */
static void fill(struct reads *r)
{
	for (uint64_t p = 0; p < r->pages; p++) {
		struct tier_io io = { .page = r->buffer };

		memset(r->buffer, (int)(p % 251), PAGE_SIZE);
		memcpy(r->buffer, &p, sizeof(p));
		r->tier->ops->store(r->tier, &io, 1, true);
		if (io.error)
			errx(1, "the tier: %s", strerror(-io.error));
		r->where[p] = io.where;
		r->write(r, p);
	}
}

static void load_tier(struct reads *r, const uint64_t *page, unsigned n)
{
	struct tier_io io[TIER_BATCH];

	for (unsigned i = 0; i < n; i++)
		io[i] = (struct tier_io){ .page = reads_page(r, i),
					  .where = r->where[page[i]] };
	r->tier->ops->load(r->tier, io, n);
}

/* Nanoseconds a page, @n together. */
static double timed(struct reads *r, unsigned n, load_fn *load)
{
	const unsigned runs = n == 1 ? 500 : 64;
	double start = now_ns();

	for (unsigned k = 0; k < runs; k++) {
		uint64_t page[TIER_BATCH];

		for (unsigned i = 0; i < n; i++)
			page[i] = draw(r);
		load(r, page, n);
		for (unsigned i = 0; i < n; i++)
			if (memcmp(reads_page(r, i), &page[i], sizeof(page[i])))
				errx(1, "page %lu came back wrong", page[i]);
	}
	return (now_ns() - start) / runs / n;
}

/* Tier, medium, medium, tier: the mean of each. */
static void compare(struct reads *r, unsigned n)
{
	double tier = timed(r, n, load_tier);
	double medium = timed(r, n, r->read) + timed(r, n, r->read);

	tier += timed(r, n, load_tier);
	printf("%.0f %.0f%c", tier / 2, medium / 2, n == 1 ? ' ' : '\n');
}

void reads_run(struct reads *r, int rounds)
{
	r->state = 1;
	r->where = calloc(r->pages, sizeof(r->where[0]));
	r->buffer = aligned_alloc(PAGE_SIZE, TIER_BATCH * PAGE_SIZE);
	if (!r->where || !r->buffer)
		err(1, "memory");
	fill(r);
	timed(r, TIER_BATCH, load_tier); /* warm */
	timed(r, TIER_BATCH, r->read);
	for (int i = 0; i < rounds; i++) {
		compare(r, 1);
		compare(r, TIER_BATCH);
	}
}
