/* SPDX-License-Identifier: MIT */
/* Pages of known compressibility, and a generator with a printed seed. */
#ifndef TESTS_UNIT_EPT_PAGES_H
#define TESTS_UNIT_EPT_PAGES_H

#include <stdlib.h>
#include <string.h>

#include "ept/addr.h"

/* splitmix64 */
static inline uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* No codec makes this smaller. */
static inline void page_random(void *page, uint64_t seed)
{
	uint64_t *w = page;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*w); i++)
		w[i] = random_next(&seed);
}

/* To about a third, like memory of programs: small numbers, pointers. */
static inline void page_text(void *page, uint64_t seed)
{
	uint64_t *w = page, base = random_next(&seed) & 0x7ffffff00000;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*w); i++) {
		uint64_t r = random_next(&seed);

		w[i] = r % 4 == 0 ? base | (r >> 8 & 0xfff8) : r >> 8 & 0x3f;
	}
}

/* One of each kind in turn: zeros, text, random. */
static inline void page_mixed(void *page, uint64_t seed)
{
	if (seed % 3 == 0)
		memset(page, 0, PAGE_SIZE);
	else if (seed % 3 == 1)
		page_text(page, seed);
	else
		page_random(page, seed);
}

/* @n pages, aligned as direct I/O wants them. */
static inline uint8_t *pages_new(unsigned n)
{
	uint8_t *p = aligned_alloc(PAGE_SIZE, n * PAGE_SIZE);

	memset(p, 0xa5, n * PAGE_SIZE);
	return p;
}

#endif
