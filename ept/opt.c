/* SPDX-License-Identifier: MIT */
/*
 * OPT, or MIN (Belady, "A study of replacement algorithms for a virtual-storage
 * computer", IBM Systems Journal 1966).
 *
 * Theory. Evict the page whose next reference is farthest away: any other
 * victim would be missed sooner. No policy that must bring in what is missed
 * does better, and none can do as well without knowing the future.
 *
 * Here a resident page is known by the time of its next reference, and no two
 * pages share one. So what is resident is a set of times: reference t is a hit
 * if t is in the set, and the victim is its greatest member. The set is a tree
 * of bits, 64 to a word: bit i of one level says whether word i of the level
 * below has a bit. Pages that never come back have no time; they are the best
 * victims and need no more than a count.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ept/opt.h"

#define LEVELS 6 /* 64^6 > 2^32 */
#define NEVER  UINT32_MAX

struct opt {
	size_t n;
	uint32_t *next; /* [n]: when the page of reference t comes next */
	size_t words[LEVELS];
	uint64_t *level[LEVELS]; /* [words]; level[0] is the set itself */
};

static void set_add(struct opt *o, uint64_t t)
{
	for (unsigned i = 0; i < LEVELS; i++, t /= 64)
		o->level[i][t / 64] |= UINT64_C(1) << t % 64;
}

static bool set_has(const struct opt *o, uint64_t t)
{
	return o->level[0][t / 64] >> t % 64 & 1;
}

static void set_remove(struct opt *o, uint64_t t)
{
	for (unsigned i = 0; i < LEVELS; i++, t /= 64) {
		o->level[i][t / 64] &= ~(UINT64_C(1) << t % 64);
		if (o->level[i][t / 64])
			break;
	}
}

/* The greatest member; there is one. */
static uint64_t set_last(const struct opt *o)
{
	uint64_t at = 0;

	for (unsigned i = LEVELS; i-- > 0;)
		at = at * 64 + 63 - __builtin_clzll(o->level[i][at]);
	return at;
}

static void set_clear(struct opt *o)
{
	for (unsigned i = 0; i < LEVELS; i++)
		memset(o->level[i], 0, o->words[i] * sizeof(uint64_t));
}

/* Backwards, for the future is known there. */
static void look_ahead(struct opt *o, const uint32_t *frame, uint32_t *when)
{
	for (size_t t = o->n; t-- > 0;) {
		o->next[t] = when[frame[t]];
		when[frame[t]] = (uint32_t)t;
	}
}

static bool allocate(struct opt *o)
{
	size_t bits = o->n;

	o->next = calloc(o->n + 1, sizeof(o->next[0]));
	for (unsigned i = 0; i < LEVELS; i++) {
		o->words[i] = bits / 64 + 1;
		o->level[i] = calloc(o->words[i], sizeof(uint64_t));
		if (!o->level[i])
			return false;
		bits = o->words[i];
	}
	return o->next;
}

int opt_create(struct opt **out, const uint32_t *frame, size_t n,
	       uint64_t frames)
{
	struct opt *o;
	uint32_t *when;

	if (n >= NEVER)
		return -E2BIG;
	o = calloc(1, sizeof(*o));
	when = malloc((frames + 1) * sizeof(*when));
	if (o)
		o->n = n;
	if (!o || !when || !allocate(o)) {
		free(when);
		if (o)
			opt_destroy(o);
		return -ENOMEM;
	}
	for (uint64_t f = 0; f < frames; f++)
		when[f] = NEVER;
	look_ahead(o, frame, when);
	free(when);
	*out = o;
	return 0;
}

void opt_destroy(struct opt *o)
{
	for (unsigned i = 0; i < LEVELS; i++)
		free(o->level[i]);
	free(o->next);
	free(o);
}

uint64_t opt_misses(struct opt *o, uint64_t capacity)
{
	uint64_t used = 0, done = 0, misses = 0; /* done: used no more */

	set_clear(o);
	for (size_t t = 0; t < o->n; t++) {
		if (set_has(o, t)) {
			set_remove(o, t);
		} else {
			misses++;
			if (used < capacity)
				used++;
			else if (done)
				done--;
			else
				set_remove(o, set_last(o));
		}
		if (o->next[t] == NEVER)
			done++;
		else
			set_add(o, o->next[t]);
	}
	return misses;
}
