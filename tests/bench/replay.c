/* SPDX-License-Identifier: MIT */
/*
 * replay [PAGES [REFERENCES]]: how many references a second each policy takes
 * in replay, and OPT, with the string in memory: zipf with one scan in ten,
 * and a quarter of the pages as frames. Least time of three runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ept/opt.h"
#include "tests/unit/ept_strings.h"

#define SEED 3

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t optimum(const struct string *s, uint64_t frames)
{
	struct opt *o;
	uint64_t misses;

	if (opt_create(&o, s->page, s->n, s->pages))
		abort();
	misses = opt_misses(o, frames);
	opt_destroy(o);
	return misses;
}

/* @ops is NULL for OPT. */
static void measure(const struct string *s, const struct policy_ops *ops)
{
	uint64_t frames = s->pages / 4, misses = 0;
	double best = 1e9;

	for (unsigned i = 0; i < 3; i++) {
		double start = now_s();

		misses = ops ? string_misses(s, ops, frames)
			     : optimum(s, frames);
		if (now_s() - start < best)
			best = now_s() - start;
	}
	printf("%-8s %8.1f %10.4f\n", ops ? ops->name : "opt",
	       (double)s->n / best / 1e6, (double)misses / (double)s->n);
}

int main(int argc, char **argv)
{
	uint32_t pages = argc > 1 ? (uint32_t)atoi(argv[1]) : 1 << 18;
	size_t n = argc > 2 ? (size_t)atoll(argv[2]) : 10000000;

	if (pages < 4 || !n) {
		fprintf(stderr, "usage: replay [PAGES [REFERENCES]]\n");
		return 2;
	}
	struct string s = string_zipf(pages, n, 10, SEED);

	printf("replay: %zu references to %" PRIu32 " pages, %" PRIu32
	       " frames\n%-8s %8s %10s\n",
	       n, pages, pages / 4, "", "Mrefs/s", "misses");
	for (unsigned i = 0; policies[i]; i++)
		measure(&s, policies[i]);
	measure(&s, NULL);
	string_free(&s);
	return 0;
}
