/* SPDX-License-Identifier: MIT */
/*
 * Slow simulators of policies that have one list of pages, the oldest first:
 * each is its paper's pseudo-code over plain arrays.
 */
#ifndef TESTS_UNIT_EPT_NAIVE_H
#define TESTS_UNIT_EPT_NAIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

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

#endif
