/* SPDX-License-Identifier: MIT */
/* Strings of references, from a printed seed, and what a policy makes of
 * them. */
#ifndef TESTS_UNIT_EPT_STRINGS_H
#define TESTS_UNIT_EPT_STRINGS_H

#include "ept/replay.h"
#include "tests/unit/ept_pages.h"

struct string {
	uint32_t pages; /* numbered from 0 */
	size_t n;
	uint32_t *page; /* [n] */
};

static inline struct string string_new(uint32_t pages, size_t n)
{
	struct string s = { pages, n, calloc(n, sizeof(uint32_t)) };

	if (!s.page)
		abort();
	return s;
}

static inline void string_free(struct string *s)
{
	free(s->page);
}

/* Every page as likely as any other. */
static inline struct string string_uniform(uint32_t pages, size_t n,
					   uint64_t seed)
{
	struct string s = string_new(pages, n);

	for (size_t i = 0; i < n; i++)
		s.page[i] = (uint32_t)(random_next(&seed) % pages);
	return s;
}

/* The page numbers in an order of no meaning. */
static inline uint32_t *string_shuffle(uint32_t pages, uint64_t *seed)
{
	uint32_t *page = calloc(pages, sizeof(*page));

	if (!page)
		abort();
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t j = (uint32_t)(random_next(seed) % (i + 1));

		page[i] = page[j];
		page[j] = i;
	}
	return page;
}

/* The page of rank r with a weight of 1/r, and one reference in @scan_every
 * (0: none) goes through all pages in turn. */
static inline struct string string_zipf(uint32_t pages, size_t n,
					unsigned scan_every, uint64_t seed)
{
	struct string s = string_new(pages, n);
	uint32_t *page = string_shuffle(pages, &seed), scan = 0;
	double *below = calloc(pages + 1, sizeof(*below));

	if (!below)
		abort();
	for (uint32_t r = 0; r < pages; r++)
		below[r + 1] = below[r] + 1.0 / (r + 1);
	for (size_t i = 0; i < n; i++) {
		double x = (double)(random_next(&seed) >> 11) * 0x1p-53 *
			   below[pages];
		uint32_t low = 0, high = pages; /* below[low] <= x < [high] */

		while (high - low > 1) {
			uint32_t middle = (low + high) / 2;

			if (below[middle] <= x)
				low = middle;
			else
				high = middle;
		}
		s.page[i] = page[low];
		if (scan_every && i % scan_every == 0)
			s.page[i] = scan++ % pages;
	}
	free(below);
	free(page);
	return s;
}

/* Misses of @ops on @s with @capacity frames. */
static inline uint64_t string_misses(const struct string *s,
				     const struct policy_ops *ops,
				     uint64_t capacity)
{
	struct replay r;
	uint64_t misses;

	if (replay_init(&r, ops, s->pages, capacity))
		abort();
	replay_run(&r, s->page, s->n);
	misses = r.misses;
	replay_destroy(&r);
	return misses;
}

#endif
