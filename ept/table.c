/* SPDX-License-Identifier: MIT */
/*
 * Every change is two passes over the range. The first splits what the range
 * covers in part: it may run out of memory, but changes no translation. The
 * second stores, and cannot fail. Both are one recursion, with the level as a
 * value.
 */
#include <errno.h>
#include <string.h>

#include "ept/table.h"
#include "ept/zeroed.h"

#define CHUNK 128 /* pages */

/* A part of the range as one table sees it: pages [first, first + count),
 * counted from the first page that the table covers. */
struct span {
	uint64_t first, count;
};

/* A change of a range: its pages become @entry (its first page's), or, when
 * @rights are given, keep what they are under other rights. */
struct change {
	struct pte entry;
	uint64_t first; /* the gfn that @entry describes */
	unsigned rights;
};

/* What the change makes of @old, the entry for @gfn. */
static struct pte changed(const struct change *c, struct pte old, uint64_t gfn)
{
	if (!c->rights)
		return pte_offset(c->entry, gfn - c->first);
	if (pte_kind(old) == PTE_HOLE)
		return old;
	return pte_with_rights(old, c->rights);
}

/* Table pages are cut from chunks: malloc would put a header before each and so
 * take two pages. What was freed is linked by its first entry; what never was a
 * table is not touched. */
struct chunk {
	struct chunk *older;
	struct pte *table;
	unsigned fresh; /* tables that never were */
};

static bool more_tables(struct ept *t)
{
	struct chunk *c = malloc(sizeof(*c));

	if (!c)
		return false;
	c->table = zeroed_new(CHUNK * PAGE_SIZE);
	if (!c->table) {
		free(c);
		return false;
	}
	c->fresh = CHUNK;
	c->older = t->chunks;
	t->chunks = c;
	return true;
}

static struct pte *table_cut(struct ept *t)
{
	struct chunk *c;

	if ((!t->chunks || !t->chunks->fresh) && !more_tables(t))
		return NULL;
	c = t->chunks;
	return c->table + (CHUNK - c->fresh--) * LEVEL_ENTRIES;
}

static struct pte *table_new(struct ept *t)
{
	struct pte *table = t->free;

	if (table) {
		t->free = (struct pte *)(uintptr_t)table->v;
		memset(table, 0, PAGE_SIZE);
	} else {
		table = table_cut(t);
	}
	t->tables += !!table;
	return table;
}

static void table_free(struct ept *t, struct pte *table)
{
	t->tables--;
	table->v = (uintptr_t)t->free;
	t->free = table;
}

static void free_chunks(struct ept *t)
{
	while (t->chunks) {
		struct chunk *c = t->chunks;

		t->chunks = c->older;
		zeroed_free(c->table, CHUNK * PAGE_SIZE);
		free(c);
	}
}

/* Does a translation cached from @old do what @new does not allow? */
static bool outdates(struct pte old, struct pte new)
{
	if (pte_kind(old) != PTE_LEAF)
		return false;
	return pte_kind(new) != PTE_LEAF ||
	       pte_payload(old) != pte_payload(new) ||
	       (pte_rights(old) & ~pte_rights(new));
}

/* The only store that changes what a page is: counts and invalidation are
 * here and nowhere else. Neither entry is a table. */
static void pte_set(struct ept *t, struct pte *slot, unsigned level,
		    uint64_t gfn, struct pte new)
{
	uint64_t pages = level_pages(level);
	struct pte old = *slot;

	t->pages[pte_kind(old)] -= pages;
	t->pages[pte_kind(new)] += pages;
	*slot = new;
	if (t->stale && outdates(old, new))
		t->stale(t->ctx, (gfn_t){ gfn }, pages);
}

/* The only other store: the same pages, written down in another shape. */
static void pte_reshape(struct pte *slot, struct pte new)
{
	*slot = new;
}

/* Replace a large entry by a table of 512 that say the same. */
static int split(struct ept *t, struct pte *slot, unsigned level)
{
	struct pte *table = table_new(t);

	if (!table)
		return -ENOMEM;
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++)
		table[i] = pte_offset(*slot, i * level_pages(level - 1));
	pte_reshape(slot, pte_table(table));
	return 0;
}

/* Can 512 entries be written as the first of them, one level up? */
static bool uniform(const struct pte *table, unsigned level)
{
	if (pte_kind(table[0]) == PTE_TABLE || !pte_fits(table[0], level))
		return false;
	for (unsigned i = 1; i < LEVEL_ENTRIES; i++)
		if (table[i].v !=
		    pte_offset(table[0], i * level_pages(level - 1)).v)
			return false;
	return true;
}

/* The part of @s that entry @i of a table at @level covers. */
static struct span span_of_entry(struct span s, unsigned i, unsigned level)
{
	uint64_t size = level_pages(level), base = i * size;
	uint64_t from = s.first > base ? s.first : base;
	uint64_t to = s.first + s.count < base + size ? s.first + s.count
						      : base + size;

	return (struct span){ from - base, to - from };
}

static unsigned first_entry(struct span s, unsigned level)
{
	return (unsigned)(s.first / level_pages(level));
}

static unsigned last_entry(struct span s, unsigned level)
{
	return (unsigned)((s.first + s.count - 1) / level_pages(level));
}

/* Can the change be stored in this very entry: does it cover all of it, and
 * may what it makes of it stand at this level? */
static bool stores_here(const struct change *c, struct pte old, struct span s,
			unsigned level, uint64_t gfn)
{
	if (level == 1 || (c->rights && pte_kind(old) == PTE_HOLE))
		return true;
	if (s.count != level_pages(level))
		return false;
	if (c->rights)
		return pte_kind(old) != PTE_TABLE;
	return pte_fits(changed(c, old, gfn), level);
}

/* Make every page below @table a hole and free the table. */
static void clear(struct ept *t, struct pte *table, unsigned level,
		  uint64_t gfn)
{
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
		uint64_t at = gfn + i * level_pages(level);

		if (pte_kind(table[i]) == PTE_TABLE)
			clear(t, pte_child(table[i]), level - 1, at);
		else if (pte_kind(table[i]) != PTE_HOLE)
			pte_set(t, &table[i], level, at, pte_hole());
	}
	table_free(t, table);
}

static void store(struct ept *t, struct pte *slot, unsigned level, uint64_t gfn,
		  struct pte new)
{
	if (pte_kind(*slot) == PTE_TABLE) {
		clear(t, pte_child(*slot), level - 1, gfn);
		pte_reshape(slot, pte_hole());
	}
	pte_set(t, slot, level, gfn, new);
}

enum pass { PASS_SPLIT, PASS_STORE };

/* One pass of change @c over the part @s of @table, which begins at @gfn. */
static int apply(struct ept *t, struct pte *table, unsigned level, uint64_t gfn,
		 struct span s, const struct change *c, enum pass pass)
{
	int r = 0;

	for (unsigned i = first_entry(s, level);
	     i <= last_entry(s, level) && !r; i++) {
		struct span part = span_of_entry(s, i, level);
		uint64_t at = gfn + i * level_pages(level);

		if (stores_here(c, table[i], part, level, at)) {
			if (pass == PASS_STORE)
				store(t, &table[i], level, at,
				      changed(c, table[i], at));
			continue;
		}
		if (pte_kind(table[i]) != PTE_TABLE)
			r = split(t, &table[i], level);
		if (!r)
			r = apply(t, pte_child(table[i]), level - 1, at, part,
				  c, pass);
	}
	return r;
}

static int change_range(struct ept *t, gfn_t first, uint64_t pages,
			const struct change *c)
{
	struct span s = { first.v, pages };
	int r;

	if (!range_within(first.v, pages, EPT_PAGES))
		return -EINVAL;
	if (!pages)
		return 0;
	r = apply(t, t->root, pt_ept.levels, 0, s, c, PASS_SPLIT);
	if (!r)
		r = apply(t, t->root, pt_ept.levels, 0, s, c, PASS_STORE);
	return r;
}

int ept_map(struct ept *t, gfn_t first, uint64_t pages, struct pte e)
{
	struct change c = { .entry = e, .first = first.v };

	return change_range(t, first, pages, &c);
}

int ept_unmap(struct ept *t, gfn_t first, uint64_t pages)
{
	return ept_map(t, first, pages, pte_hole());
}

int ept_protect(struct ept *t, gfn_t first, uint64_t pages, unsigned rights)
{
	struct change c = { .rights = rights };

	assert(rights & PTE_RWX);
	return change_range(t, first, pages, &c);
}

/* Merge below @slot's table first, then that table itself. */
static uint64_t merge(struct ept *t, struct pte *slot, unsigned level,
		      struct span s)
{
	struct pte *table = pte_child(*slot);
	uint64_t freed = 0;

	for (unsigned i = first_entry(s, level - 1);
	     i <= last_entry(s, level - 1); i++)
		if (pte_kind(table[i]) == PTE_TABLE)
			freed += merge(t, &table[i], level - 1,
				       span_of_entry(s, i, level - 1));
	if (s.count != level_pages(level) || !uniform(table, level))
		return freed;
	pte_reshape(slot, table[0]);
	table_free(t, table);
	return freed + 1;
}

uint64_t ept_merge(struct ept *t, gfn_t first, uint64_t pages)
{
	struct span s = { first.v, pages };
	uint64_t freed = 0;

	if (!pages || !range_within(first.v, pages, EPT_PAGES))
		return 0;
	for (unsigned i = first_entry(s, pt_ept.levels);
	     i <= last_entry(s, pt_ept.levels); i++)
		if (pte_kind(t->root[i]) == PTE_TABLE)
			freed += merge(t, &t->root[i], pt_ept.levels,
				       span_of_entry(s, i, pt_ept.levels));
	return freed;
}

static bool read_host(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	(void)ctx;
	(void)level;
	*entry = ((const struct pte *)(uintptr_t)at)->v;
	return true;
}

struct walk ept_walk(const struct ept *t, gfn_t g)
{
	static const struct pt_memory host = { .read = read_host };

	return walk(&pt_ept, &host, (uintptr_t)t->root, g.v);
}

struct pte ept_lookup(const struct ept *t, gfn_t g)
{
	struct walk w;

	if (g.v >= EPT_PAGES)
		return pte_hole();
	w = ept_walk(t, g);
	return pte_offset((struct pte){ w.entry },
			  g.v & (level_pages(w.level) - 1));
}

unsigned ept_level(const struct ept *t, gfn_t g)
{
	return ept_walk(t, g).level;
}

int ept_init(struct ept *t)
{
	*t = (struct ept){ 0 };
	t->root = table_new(t);
	if (!t->root)
		return -ENOMEM;
	t->pages[PTE_HOLE] = EPT_PAGES;
	return 0;
}

void ept_destroy(struct ept *t)
{
	t->stale = NULL;
	clear(t, t->root, pt_ept.levels, 0);
	assert(t->tables == 0);
	free_chunks(t);
}
