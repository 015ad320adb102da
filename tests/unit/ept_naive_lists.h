/* SPDX-License-Identifier: MIT */
/* Slow simulators of policies that have several lists, as in ept_naive.h. */
#ifndef TESTS_UNIT_EPT_NAIVE_LISTS_H
#define TESTS_UNIT_EPT_NAIVE_LISTS_H

#include "tests/unit/ept_naive.h"

/* Johnson and Shasha, VLDB 1994: the full version. */
static void reclaim_for(struct list *a1in, struct list *a1out, struct list *am,
			unsigned c)
{
	unsigned kin = c / 4 > 1 ? c / 4 : 1, kout = c / 2 > 1 ? c / 2 : 1;

	if (a1in->n + am->n < c)
		return;
	if (a1in->n > kin || !am->n) {
		list_add(a1out, list_take(a1in, 0));
		if (a1out->n > kout)
			list_take(a1out, 0);
	} else {
		list_take(am, 0);
	}
}

static uint64_t naive_2q(const struct string *s, unsigned c)
{
	struct list a1in = { 0 }, a1out = { 0 }, am = { 0 };
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint32_t x = s->page[i];

		if (list_has(&am, x)) {
			list_drop(&am, x);
			list_add(&am, x);
		} else if (list_has(&a1out, x)) {
			misses++;
			list_drop(&a1out, x);
			reclaim_for(&a1in, &a1out, &am, c);
			list_add(&am, x);
		} else if (!list_has(&a1in, x)) {
			misses++;
			reclaim_for(&a1in, &a1out, &am, c);
			list_add(&a1in, x);
		}
	}
	return misses;
}

/* Megiddo and Modha, FAST 2003, figure 4, with its four cases. */
struct naive_arc {
	struct list t1, t2, b1, b2;
	double p;
};

static void replace(struct naive_arc *a, bool x_in_b2)
{
	if (a->t1.n && (a->t1.n > a->p || (x_in_b2 && (double)a->t1.n == a->p)))
		list_add(&a->b1, list_take(&a->t1, 0));
	else
		list_add(&a->b2, list_take(&a->t2, 0));
}

static void arc_case_4(struct naive_arc *a, uint32_t x, unsigned c)
{
	unsigned l1 = a->t1.n + a->b1.n, all = l1 + a->t2.n + a->b2.n;

	if (l1 == c) {
		if (a->t1.n < c) {
			list_take(&a->b1, 0);
			replace(a, false);
		} else {
			list_take(&a->t1, 0);
		}
	} else if (all >= c) {
		if (all == 2 * c)
			list_take(&a->b2, 0);
		replace(a, false);
	}
	list_add(&a->t1, x);
}

static bool arc_hit(struct naive_arc *a, uint32_t x)
{
	struct list *l = list_has(&a->t1, x) ? &a->t1 : &a->t2;

	if (!list_has(l, x))
		return false;
	list_drop(l, x);
	list_add(&a->t2, x);
	return true;
}

static void arc_miss(struct naive_arc *a, uint32_t x, unsigned c)
{
	double b1 = a->b1.n, b2 = a->b2.n;

	if (list_has(&a->b1, x)) {
		a->p += b1 >= b2 ? 1 : b2 / b1;
		a->p = a->p > c ? c : a->p;
		replace(a, false);
		list_drop(&a->b1, x);
		list_add(&a->t2, x);
	} else if (list_has(&a->b2, x)) {
		a->p -= b2 >= b1 ? 1 : b1 / b2;
		a->p = a->p < 0 ? 0 : a->p;
		replace(a, true);
		list_drop(&a->b2, x);
		list_add(&a->t2, x);
	} else {
		arc_case_4(a, x, c);
	}
}

static uint64_t naive_arc(const struct string *s, unsigned c)
{
	struct naive_arc a = { .p = 0 };
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!arc_hit(&a, s->page[i])) {
			misses++;
			arc_miss(&a, s->page[i], c);
		}
	return misses;
}

/* Yang et al., SOSP 2023, algorithm 1. */
struct naive_s3 {
	struct list s, m, g;
	unsigned freq[PAGES], small, main, ghost;
};

static void evict_m(struct naive_s3 *a)
{
	for (bool evicted = false; !evicted && a->m.n;) {
		uint32_t t = list_take(&a->m, 0);

		if (a->freq[t]) {
			a->freq[t]--;
			list_add(&a->m, t);
		} else {
			evicted = true;
		}
	}
}

static void evict_s(struct naive_s3 *a)
{
	for (bool evicted = false; !evicted && a->s.n;) {
		uint32_t t = list_take(&a->s, 0);

		if (a->freq[t] > 1) {
			a->freq[t] = 0;
			list_add(&a->m, t);
			if (a->m.n > a->main) {
				evict_m(a);
				evicted = true;
			}
		} else {
			list_add(&a->g, t);
			if (a->g.n > a->ghost)
				list_take(&a->g, 0);
			evicted = true;
		}
	}
}

static uint64_t naive_s3fifo(const struct string *s, unsigned c)
{
	struct naive_s3 a = { .small = c / 10 ? c / 10 : 1,
			      .ghost = c * 9 / 10 };
	uint64_t misses = 0;

	a.main = c - a.small;
	for (size_t i = 0; i < s->n; i++) {
		uint32_t x = s->page[i];

		if (list_has(&a.s, x) || list_has(&a.m, x)) {
			a.freq[x] += a.freq[x] < 3;
			continue;
		}
		misses++;
		while (a.s.n + a.m.n == c)
			if (a.s.n >= a.small)
				evict_s(&a);
			else
				evict_m(&a);
		if (list_has(&a.g, x)) {
			list_drop(&a.g, x);
			list_add(&a.m, x);
		} else {
			list_add(&a.s, x);
		}
		a.freq[x] = 0;
	}
	return misses;
}

#endif
