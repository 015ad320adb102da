/* SPDX-License-Identifier: MIT */
/* What a fuzzer gives a target, number by number, and the interrupt line of
 * the device that it examines. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* A run frees all that it has: what an earlier one freed need not be kept from
 * use again, at a page fault for each of its pages. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

/* The input, as it is consumed; beyond its end there are zeros. */
static const uint8_t *input;
static size_t left;

static inline uint64_t take(unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n && left; i++, input++, left--)
		v |= (uint64_t)*input << (8 * i);
	return v;
}

/* The device's interrupt line. */
static int level;

static inline void set_line(void *ctx, int to)
{
	(void)ctx;
	if (to == level)
		abort(); /* changes only */
	level = to;
}

#endif
