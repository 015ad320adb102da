/* SPDX-License-Identifier: MIT */
/*
 * The search goes depth first, and compares as it goes: an entry that names the
 * page above the lowest level says that the page is a table. What the kernel's
 * half maps is not remembered: it has all pages somewhere, and a program may
 * get the page later.
 */
#include <errno.h>
#include <stdlib.h>

#include "ept/observe.h"
#include "ept/reverse.h"
#include "ept/walk.h"
#include "ept/zeroed.h"

#define TABLES_MAX 4096
#define USER_END   (UINT64_C(1) << 47)

struct reverse {
	struct stage2 *s;
	uint64_t pages;
	uint64_t *guess; /* [pages]: the gva it had last; 0: none */
};

struct search {
	struct reverse *r;
	gfn_t g;
	unsigned tables; /* read so far */
	bool blind; /* one could not be read: what lies behind it? */
	struct reverse_hit hit;
};

/* RAM is a run from 0 and one from 4 GiB: both are small numbers, and a few
 * pages that share a guess do no harm. */
static uint64_t *guess_of(struct reverse *r, gfn_t g)
{
	return &r->guess[g.v % r->pages];
}

struct reverse *reverse_new(struct stage2 *s)
{
	struct reverse *r = malloc(sizeof(*r));
	struct stage2_counters c;

	if (!r)
		return NULL;
	stage2_counters(s, &c);
	*r = (struct reverse){ .s = s, .pages = c.pages };
	r->guess = zeroed_new(c.pages * sizeof(r->guess[0]));
	if (r->guess)
		return r;
	free(r);
	return NULL;
}

void reverse_free(struct reverse *r)
{
	if (!r)
		return;
	zeroed_free(r->guess, r->pages * sizeof(r->guess[0]));
	free(r);
}

static bool read_entry(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	(void)level;
	return !stage2_look(ctx, (gpa_t){ at }, entry, sizeof(*entry));
}

/* Does @at lead to @g? */
static bool leads(struct reverse *r, uint64_t root, uint64_t at, gfn_t g)
{
	const struct pt_memory memory = { read_entry, r->s };
	struct walk w = walk(&pt_x86_64, &memory, root, at >> PAGE_SHIFT);

	return w.end == WALK_LEAF &&
	       walk_target(&pt_x86_64, w, at >> PAGE_SHIFT) == g.v;
}

static void remember(struct reverse *r, gfn_t g, uint64_t at)
{
	if (at < USER_END)
		__atomic_store_n(guess_of(r, g), at, __ATOMIC_RELAXED);
}

/* Bit 47 is repeated above it. */
static uint64_t canonical(uint64_t at)
{
	return (uint64_t)((int64_t)(at << 16) >> 16);
}

static bool found(struct search *q, uint64_t at, unsigned level)
{
	q->hit = (struct reverse_hit){ { canonical(at) }, level };
	return true;
}

/* A table of the lowest level: many of them are read, so this is short. */
static bool search_pages(struct search *q, const uint64_t *entry, uint64_t base)
{
	bool user = base < USER_END;

	for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
		gfn_t g = { (entry[i] & pt_x86_64.address) >> PAGE_SHIFT };
		uint64_t at = base + ((uint64_t)i << PAGE_SHIFT);

		if (!(entry[i] & pt_x86_64.present))
			continue;
		if (user && *guess_of(q->r, g) != at)
			remember(q->r, g, at);
		if (g.v == q->g.v)
			return found(q, at, 0);
	}
	return false;
}

/* Does the large page of @entry, which begins at @at, have it? */
static bool large_has(struct search *q, uint64_t entry, unsigned level,
		      uint64_t at)
{
	struct walk w = { .level = level, .entry = entry };
	uint64_t first = walk_target(&pt_x86_64, w, 0);

	if (q->g.v - first >= level_pages(level))
		return false;
	return found(q, at + ((q->g.v - first) << PAGE_SHIFT), 0);
}

static bool search(struct search *q, uint64_t table, unsigned level,
		   uint64_t base);

/* An entry above the lowest level: a table, or a large page. */
static bool search_entry(struct search *q, uint64_t entry, unsigned level,
			 uint64_t at)
{
	uint64_t next = entry & pt_x86_64.address;

	if (!(entry & pt_x86_64.present))
		return false;
	if (level <= pt_x86_64.top_leaf && (entry & pt_x86_64.leaf))
		return large_has(q, entry, level, at);
	if (next >> PAGE_SHIFT == q->g.v)
		return found(q, at, level - 1);
	return search(q, next, level - 1, at);
}

/* Search the table at @table, which serves addresses from @base on. True: the
 * search is over. A guest's entry may name what is no RAM: nothing is there. */
static bool search(struct search *q, uint64_t table, unsigned level,
		   uint64_t base)
{
	uint64_t entry[LEVEL_ENTRIES];
	int r;

	if (q->tables++ >= TABLES_MAX)
		return false;
	r = stage2_look(q->r->s, (gpa_t){ table }, entry, sizeof(entry));
	q->blind = r == -EIO;
	if (r)
		return q->blind;
	if (level == 1)
		return search_pages(q, entry, base);
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++)
		if (search_entry(q, entry[i], level,
				 base + i * (level_pages(level) << PAGE_SHIFT)))
			return true;
	return false;
}

bool reverse_find(struct reverse *r, uint64_t cr3, gfn_t g, gva_t guess,
		  struct reverse_hit *hit)
{
	uint64_t root = cr3 & pt_x86_64.address;
	uint64_t before = __atomic_load_n(guess_of(r, g), __ATOMIC_RELAXED);
	struct search q = { .r = r, .g = g };
	bool there = true;

	if (root >> PAGE_SHIFT == g.v)
		found(&q, 0, pt_x86_64.levels);
	else if (before && leads(r, root, before, g))
		found(&q, before, 0);
	else if (guess.v && guess.v < USER_END &&
		 leads(r, root, guess.v & ~PAGE_MASK, g))
		found(&q, guess.v & ~PAGE_MASK, 0);
	else
		there = search(&q, root, pt_x86_64.levels, 0) && !q.blind;
	if (there && !q.hit.level)
		remember(r, g, q.hit.gva.v);
	*hit = q.hit;
	return there;
}
