/* SPDX-License-Identifier: MIT */
/*
 * Latencies: a log-linear histogram, 16 buckets to each power of two, so that
 * a percentile is off by at most 1/16. The caller serialises.
 */
#ifndef EPT_HISTOGRAM_H
#define EPT_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB	  16
#define HISTOGRAM_BUCKETS (61 * HISTOGRAM_SUB)

struct histogram {
	uint64_t count, max, sum;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_index(uint64_t v)
{
	unsigned log;

	if (v < HISTOGRAM_SUB)
		return (unsigned)v;
	log = 63 - (unsigned)__builtin_clzll(v);
	return (log - 3) * HISTOGRAM_SUB +
	       ((v >> (log - 4)) & (HISTOGRAM_SUB - 1));
}

static inline void histogram_add(struct histogram *h, uint64_t v)
{
	h->count++;
	h->sum += v;
	if (v > h->max)
		h->max = v;
	h->bucket[histogram_index(v)]++;
}

/* The least value that bucket @i holds. */
static inline uint64_t histogram_least(unsigned i)
{
	if (i < HISTOGRAM_SUB)
		return i;
	return (uint64_t)(HISTOGRAM_SUB + i % HISTOGRAM_SUB)
	       << (i / HISTOGRAM_SUB - 1);
}

/* The least value of the bucket that holds the @percent-th percentile. */
static inline uint64_t histogram_percentile(const struct histogram *h,
					    unsigned percent)
{
	uint64_t rank = (h->count * percent + 99) / 100, seen = 0;
	unsigned i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	return histogram_least(i);
}

#endif
