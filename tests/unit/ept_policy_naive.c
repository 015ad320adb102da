/* SPDX-License-Identifier: MIT */
/*
 * Replay against slow simulators that share nothing with it: each is its
 * paper's pseudo-code over plain arrays. A list has its oldest page first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ept/opt.h"
#include "tests/unit/ept_strings.h"

#define PAGES 90

struct list {
	unsigned n;
	uint32_t page[2 * PAGES + 1];
};

static int list_find(const struct list *l, uint32_t page)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->page[i] == page)
			return (int)i;
	return -1;
}

static bool list_has(const struct list *l, uint32_t page)
{
	return list_find(l, page) >= 0;
}

static uint32_t list_take(struct list *l, int at)
{
	uint32_t page = l->page[at];

	assert_in_range(at, 0, l->n - 1);
	l->n--;
	memmove(&l->page[at], &l->page[at + 1],
		(l->n - (unsigned)at) * sizeof(page));
	return page;
}

static void list_add(struct list *l, uint32_t page)
{
	assert_false(list_has(l, page));
	l->page[l->n++] = page;
}

static void list_drop(struct list *l, uint32_t page)
{
	list_take(l, list_find(l, page));
}

static uint64_t naive_fifo(const struct string *s, unsigned c)
{
	struct list q = { 0 };
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (list_has(&q, s->page[i]))
			continue;
		misses++;
		if (q.n == c)
			list_take(&q, 0);
		list_add(&q, s->page[i]);
	}
	return misses;
}

static uint64_t naive_lru(const struct string *s, unsigned c)
{
	struct list q = { 0 };
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (list_has(&q, s->page[i])) {
			list_drop(&q, s->page[i]);
		} else {
			misses++;
			if (q.n == c)
				list_take(&q, 0);
		}
		list_add(&q, s->page[i]);
	}
	return misses;
}

/* A circular buffer and a hand; the newcomer takes the victim's place. */
static uint64_t naive_clock(const struct string *s, unsigned c)
{
	struct list ring = { 0 };
	bool bit[PAGES] = { 0 };
	unsigned hand = 0;
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		int at = list_find(&ring, s->page[i]);

		if (at >= 0) {
			bit[at] = true;
			continue;
		}
		misses++;
		if (ring.n < c) {
			list_add(&ring, s->page[i]);
			continue;
		}
		for (; bit[hand]; hand = (hand + 1) % c)
			bit[hand] = false;
		ring.page[hand] = s->page[i];
		hand = (hand + 1) % c;
	}
	return misses;
}

static size_t next_use(const struct string *s, size_t from, uint32_t page)
{
	while (from < s->n && s->page[from] != page)
		from++;
	return from;
}

static uint64_t naive_opt(const struct string *s, unsigned c)
{
	struct list in = { 0 };
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (list_has(&in, s->page[i]))
			continue;
		misses++;
		if (in.n == c) {
			size_t farthest = 0;
			int victim = 0;

			for (unsigned k = 0; k < c; k++) {
				size_t t = next_use(s, i, in.page[k]);

				if (t > farthest) {
					farthest = t;
					victim = (int)k;
				}
			}
			list_take(&in, victim);
		}
		list_add(&in, s->page[i]);
	}
	return misses;
}

/* Zhang et al., NSDI 2024, algorithm 1. The hand is a place in the queue; -1:
 * nowhere. */
static uint64_t naive_sieve(const struct string *s, unsigned c)
{
	struct list q = { 0 };
	bool visited[PAGES] = { 0 };
	int hand = -1;
	uint64_t misses = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint32_t x = s->page[i];

		if (list_has(&q, x)) {
			visited[x] = true;
			continue;
		}
		misses++;
		if (q.n == c) {
			int o = hand < 0 ? 0 : hand;

			while (visited[q.page[o]]) {
				visited[q.page[o]] = false;
				o = o + 1 == (int)q.n ? 0 : o + 1;
			}
			/* What is newer moves down to the victim's place. */
			hand = o + 1 == (int)q.n ? -1 : o;
			list_take(&q, o);
		}
		list_add(&q, x);
		visited[x] = false;
	}
	return misses;
}

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

static const struct {
	const struct policy_ops *ops; /* NULL: OPT */
	uint64_t (*naive)(const struct string *s, unsigned c);
} pairs[] = {
	{ &policy_fifo, naive_fifo },	{ &policy_lru, naive_lru },
	{ &policy_clock, naive_clock }, { NULL, naive_opt },
	{ &policy_sieve, naive_sieve }, { &policy_2q, naive_2q },
	{ &policy_arc, naive_arc },	{ &policy_s3fifo, naive_s3fifo },
};

static uint64_t misses(const struct string *s, const struct policy_ops *ops,
		       uint64_t capacity)
{
	struct opt *o;
	uint64_t n;

	if (ops)
		return string_misses(s, ops, capacity);
	assert_int_equal(opt_create(&o, s->page, s->n, s->pages), 0);
	n = opt_misses(o, capacity);
	opt_destroy(o);
	return n;
}

static void compare(struct string s)
{
	static const unsigned sizes[] = { 1,  2,  3,  4,  5,  7,  9,
					  10, 11, 16, 20, 33, 40, 64,
					  80, 89, 90, 91, 200 };

	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint64_t got = misses(&s, pairs[p].ops, sizes[i]);
			uint64_t want = pairs[p].naive(&s, sizes[i]);

			if (got != want)
				fail_msg("%s, %u frames: %lu, want %lu",
					 pairs[p].ops ? pairs[p].ops->name
						      : "opt",
					 sizes[i], got, want);
		}
	string_free(&s);
}

#define SEED 190

static void uniform(void **state)
{
	(void)state;
	print_message("seed %u\n", SEED);
	for (unsigned i = 0; i < 3; i++)
		compare(string_uniform(PAGES, 3000, SEED + i));
}

static void zipf(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		compare(string_zipf(PAGES, 3000, 0, SEED + i));
}

static void zipf_with_scans(void **state)
{
	(void)state;
	for (unsigned every = 2; every < 8; every += 2)
		compare(string_zipf(PAGES, 3000, every, SEED + every));
}

/* Phases: the hot set moves, so that ghosts and hands matter. */
static void moving_sets(void **state)
{
	struct string s = string_uniform(PAGES, 6000, SEED);

	(void)state;
	for (size_t i = 0; i < s.n; i++)
		s.page[i] = (s.page[i] % 25 + (uint32_t)(i / 300) * 10) % PAGES;
	compare(s);
}

/* What holds of OPT and LRU for any string. */
static void bounds_hold(void **state)
{
	struct string s = string_zipf(PAGES, 5000, 3, SEED);
	uint64_t last = s.n;

	(void)state;
	for (unsigned c = 1; c <= PAGES; c++) {
		uint64_t best = misses(&s, NULL, c);
		uint64_t lru = misses(&s, &policy_lru, c);

		assert_true(lru <= last); /* a stack algorithm */
		last = lru;
		for (unsigned i = 0; policies[i]; i++)
			assert_true(misses(&s, policies[i], c) >= best);
	}
	string_free(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform),
		cmocka_unit_test(zipf),
		cmocka_unit_test(zipf_with_scans),
		cmocka_unit_test(moving_sets),
		cmocka_unit_test(bounds_hold),
	};

	return cmocka_run_group_tests_name("naive", tests, NULL, NULL);
}
