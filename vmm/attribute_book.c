/* SPDX-License-Identifier: MIT */
/*
 * Each process claims the pages that its tables map, and the tables; a page
 * that two processes claim is shared; the kernel gets what it maps of the rest.
 *
 * Tables are what a guest makes them: they may name each other in a circle, or
 * one page a million times. So the entries that are looked at are counted, and
 * there is an end.
 */
#include "vmm/attribute_book.h"

#include <errno.h>

#include "ept/walk.h"
#include "ept/zeroed.h"

#define USER	 (UINT64_C(1) << 2) /* SDM vol. 3A, 4.5.4: ring 3 may */
#define HALF	 (LEVEL_ENTRIES / 2)
#define WORK_MAX (UINT64_C(1) << 27) /* entries, and pages of large ones */

/* NULL: no RAM. */
static struct claim *claim_of(struct book *b, gfn_t g)
{
	const struct ram *ram = b->m->ram;
	uint64_t before = 0;

	for (unsigned i = 0; i < ram->ranges; i++) {
		uint64_t page = g.v - gfn_of(ram->range[i].base).v;
		uint64_t pages = ram->range[i].bytes >> PAGE_SHIFT;

		if (page < pages)
			return &b->claim[before + page];
		before += pages;
	}
	return NULL;
}

/* That of the table that the entry @e, no leaf, names. */
static struct claim *claim_below(struct book *b, uint64_t e)
{
	return claim_of(b, gfn_of((gpa_t){ e & pt_x86_64.address }));
}

/* What a process maps twice it has once. */
static void claim_page(struct book *b, gfn_t g)
{
	struct claim *c = claim_of(b, g);

	if (!c || c->last == b->number)
		return;
	c->last = b->number;
	b->process->shared.n[c->state]++;
	if (c->owner == OWNER_NOBODY)
		c->owner = b->number;
	else if (b->number != OWNER_KERNEL)
		c->owner = c->owner == OWNER_TABLES ? b->number : OWNER_SHARED;
}

static void claim_table(struct book *b, gfn_t g)
{
	bool kernel = b->number == OWNER_KERNEL;
	struct claim *c = claim_of(b, g);

	b->process->tables++;
	if (c && c->owner == OWNER_NOBODY)
		c->owner = kernel ? OWNER_KERNEL : OWNER_TABLES;
}

static bool spend(struct book *b, uint64_t work)
{
	b->work -= work < b->work ? work : b->work;
	return b->work;
}

static bool read_table(struct book *b, uint64_t table,
		       uint64_t entry[LEVEL_ENTRIES])
{
	return spend(b, LEVEL_ENTRIES) &&
	       claim_of(b, gfn_of((gpa_t){ table })) &&
	       b->m->look(b->m->ctx, (gpa_t){ table }, entry, PAGE_SIZE);
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 ||
	       (level <= pt_x86_64.top_leaf && (entry & pt_x86_64.leaf));
}

static void claim_leaf(struct book *b, uint64_t entry, unsigned level)
{
	struct walk w = { .level = level, .entry = entry };
	uint64_t first = walk_target(&pt_x86_64, w, 0);

	for (uint64_t i = 0; i < level_pages(level) && spend(b, 1); i++)
		claim_page(b, (gfn_t){ first + i });
}

/* Of a process, what ring 3 may reach; of the kernel, what no process has. */
static bool concerns(struct book *b, uint64_t entry, unsigned level)
{
	const struct claim *c;

	if (!(entry & pt_x86_64.present))
		return false;
	if (b->number != OWNER_KERNEL)
		return entry & USER;
	if (is_leaf(entry, level))
		return true;
	c = claim_below(b, entry);
	return !c || c->owner != OWNER_TABLES;
}

/* Claim the table at @table, and what its first @end entries lead to; but not
 * a root that has none of them, which is a kernel thread's. */
static void claim_all(struct book *b, uint64_t table, unsigned level,
		      unsigned end)
{
	uint64_t entry[LEVEL_ENTRIES];
	bool used = level < pt_x86_64.levels;

	if (!read_table(b, table, entry)) {
		b->process->whole = false;
		return;
	}
	for (unsigned i = 0; i < end; i++) {
		if (!concerns(b, entry[i], level))
			continue;
		used = true;
		if (is_leaf(entry[i], level))
			claim_leaf(b, entry[i], level);
		else
			claim_all(b, entry[i] & pt_x86_64.address, level - 1,
				  LEVEL_ENTRIES);
	}
	if (used)
		claim_table(b, gfn_of((gpa_t){ table }));
}

/* Can these be tables of a process that still is? Those of one that has ended
 * lead to what others have by now, or to what are no tables. */
static bool is_alive(struct book *b, uint64_t table, unsigned level,
		     unsigned end)
{
	uint64_t entry[LEVEL_ENTRIES];

	if (!read_table(b, table, entry))
		return true; /* as far as one can see */
	for (unsigned i = 0; i < end; i++) {
		const struct claim *c = claim_below(b, entry[i]);

		if (!(entry[i] & pt_x86_64.present) || is_leaf(entry[i], level))
			continue;
		if (!c || c->owner != OWNER_NOBODY)
			return false;
		if (level > 2 && !is_alive(b, entry[i] & pt_x86_64.address,
					   level - 1, LEVEL_ENTRIES))
			return false;
	}
	return true;
}

void book_process(struct book *b, struct attribute_process *p)
{
	uint64_t root = p->root.cr3;

	b->process = p;
	b->number++;
	p->whole = true;
	if (p->root.by == ROOT_BY_VCPU ||
	    is_alive(b, root, pt_x86_64.levels, HALF))
		claim_all(b, root, pt_x86_64.levels, HALF);
}

bool book_kernel(struct book *b, uint64_t cr3)
{
	b->process = &b->kernel;
	b->number = OWNER_KERNEL;
	b->kernel.whole = true;
	claim_all(b, cr3, pt_x86_64.levels, LEVEL_ENTRIES);
	return b->kernel.whole;
}

static void note_states(struct book *b)
{
	const struct ram *ram = b->m->ram;
	struct claim *c = b->claim;

	for (unsigned i = 0; i < ram->ranges; i++)
		for (uint64_t at = 0; at < ram->range[i].bytes; at += PAGE_SIZE)
			c++->state = (uint8_t)b->m->state(
				b->m->ctx,
				gfn_of((gpa_t){ ram->range[i].base.v + at }));
}

int book_open(struct book *b, const struct attribute_memory *m)
{
	*b = (struct book){ .m = m, .work = WORK_MAX };
	for (unsigned i = 0; i < m->ram->ranges; i++)
		b->pages += m->ram->range[i].bytes >> PAGE_SHIFT;
	b->claim = zeroed_new(b->pages * sizeof(*b->claim));
	if (!b->claim)
		return -ENOMEM;
	note_states(b);
	return 0;
}

void book_close(struct book *b)
{
	zeroed_free(b->claim, b->pages * sizeof(*b->claim));
}
