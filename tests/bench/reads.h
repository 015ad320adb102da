/* SPDX-License-Identifier: MIT */
/*
 * Random reads of a tier's pages beside the same reads of a medium without
 * the tier, one at a time and TIER_BATCH together.
 */
#ifndef TESTS_BENCH_READS_H
#define TESTS_BENCH_READS_H

#include "ept/tier.h"

struct reads {
	struct tier *tier;
	uint64_t pages; /* both sides hold so many */
	/* The medium: write page @page from @buffer; read @n pages, the ith
	 * to reads_page(r, i). They end the program on errors. */
	void (*write)(struct reads *r, uint64_t page);
	void (*read)(struct reads *r, const uint64_t *page, unsigned n);
	void *medium;
	/* reads_run's own */
	uint8_t *buffer;
	uint64_t *where, state;
};

/* The @i-th page of the buffer, i < TIER_BATCH. */
uint8_t *reads_page(struct reads *r, unsigned i);

/* Fill both sides; then a line a round: nanoseconds a page of tier and medium
 * one at a time, and of both together. */
void reads_run(struct reads *r, int rounds);

#endif
