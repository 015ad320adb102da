/* SPDX-License-Identifier: MIT */
#include "devices/iommu_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ept/walk.h"

#define RIGHTS	UINT64_C(3) /* R and W */
#define LARGE	(UINT64_C(1) << 7)
#define ADDRESS UINT64_C(0x000ffffffffff000)
#define LAST	(UINT64_C(1) << 62)
#define FIRST	(UINT64_C(1) << 63)

static const struct pt_format format = {
	.name = "iommu",
	.levels = 4,
	.top_leaf = 3,
	.present = RIGHTS,
	.leaf = LARGE,
	.address = ADDRESS,
};

static bool read_host(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	(void)ctx;
	(void)level;
	*entry = *(const uint64_t *)(uintptr_t)at;
	return true;
}

static struct walk walk_to(const struct iotable *t, uint64_t page)
{
	static const struct pt_memory host = { .read = read_host };

	return walk(&format, &host, (uintptr_t)t->root, page);
}

static uint64_t *child(uint64_t entry)
{
	return (uint64_t *)(uintptr_t)(entry & ADDRESS);
}

static uint64_t *table_new(struct iotable *t)
{
	uint64_t *table;

	if (*t->tables == t->most)
		return NULL;
	table = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!table)
		return NULL;
	memset(table, 0, PAGE_SIZE);
	++*t->tables;
	return table;
}

static bool is_table(uint64_t entry, unsigned level)
{
	return entry && level > 1 && !(entry & LARGE);
}

static bool is_empty(const uint64_t *table)
{
	return !table[0] &&
	       !memcmp(table, table + 1, PAGE_SIZE - sizeof(*table));
}

/* Clear pages [first, last] of those that @table covers, counted from its
 * first. True: nothing is left, and it is freed. */
static bool clear(struct iotable *t, uint64_t *table, unsigned level,
		  uint64_t first, uint64_t last)
{
	uint64_t span = level_pages(level), to = last / span;

	for (uint64_t i = first / span; i <= to; i++, first = 0)
		if (!is_table(table[i], level) ||
		    clear(t, child(table[i]), level - 1, first % span,
			  i == to ? last % span : span - 1))
			table[i] = 0;
	if (!is_empty(table))
		return false;
	free(table);
	--*t->tables;
	return true;
}

static void clear_range(struct iotable *t, uint64_t page, uint64_t pages)
{
	if (clear(t, t->root, format.levels, page, page + pages - 1))
		t->root = NULL;
}

void iotable_clear(struct iotable *t)
{
	if (t->root)
		clear_range(t, 0, level_pages(format.levels + 1));
}

struct iotable_entry iotable_lookup(const struct iotable *t, uint64_t page)
{
	struct walk w;

	if (!t->root)
		return (struct iotable_entry){ 0 };
	w = walk_to(t, page);
	if (w.end != WALK_LEAF)
		return (struct iotable_entry){ 0 };
	return (struct iotable_entry){ w.entry & RIGHTS,
				       walk_target(&format, w, page) };
}

static bool any_mapped(const struct iotable *t, uint64_t page, uint64_t pages)
{
	while (t->root) {
		struct walk w = walk_to(t, page);
		uint64_t span = level_pages(w.level);
		uint64_t next = span - page % span;

		if (w.end == WALK_LEAF)
			return true;
		if (next >= pages)
			break;
		page += next;
		pages -= next;
	}
	return false;
}

/* The entry of @page at @level, with the tables above it. NULL: no room. */
static uint64_t *reach(struct iotable *t, uint64_t page, unsigned level)
{
	uint64_t *table = t->root, *slot;

	for (unsigned at = format.levels;; at--) {
		slot = &table[level_index(page, at)];
		if (at == level)
			return slot;
		if (!*slot) {
			table = table_new(t);
			if (!table)
				return NULL;
			*slot = (uintptr_t)table | RIGHTS;
		}
		table = child(*slot);
	}
}

/* The highest level at which one entry can say it. */
static unsigned level_for(uint64_t page, uint64_t to, uint64_t pages)
{
	unsigned level = format.top_leaf;

	while ((page | to) % level_pages(level) || pages < level_pages(level))
		level--;
	return level;
}

/* False: no room, and some of it is stored. */
static bool store(struct iotable *t, uint64_t page, uint64_t pages, uint64_t to,
		  unsigned rights)
{
	uint64_t mark = FIRST;

	while (pages) {
		unsigned level = level_for(page, to, pages);
		uint64_t span = level_pages(level);
		uint64_t *slot = reach(t, page, level);

		if (!slot)
			return false;
		*slot = to << PAGE_SHIFT | rights | mark |
			(level > 1 ? LARGE : 0) | (pages == span ? LAST : 0);
		mark = 0;
		page += span;
		to += span;
		pages -= span;
	}
	return true;
}

int iotable_map(struct iotable *t, uint64_t page, uint64_t pages, uint64_t to,
		unsigned rights)
{
	if (any_mapped(t, page, pages))
		return -EINVAL;
	if (!t->root)
		t->root = table_new(t);
	if (!t->root)
		return -ENOMEM;
	if (store(t, page, pages, to, rights))
		return 0;
	clear_range(t, page, pages);
	return -ENOMEM;
}

/* Does no mapping reach from before @page to it? */
static bool begins(const struct iotable *t, uint64_t page)
{
	struct walk w = walk_to(t, page);

	return w.end != WALK_LEAF ||
	       ((w.entry & FIRST) && page % level_pages(w.level) == 0);
}

/* Does no mapping reach from @page beyond it? */
static bool ends(const struct iotable *t, uint64_t page)
{
	struct walk w = walk_to(t, page);

	return w.end != WALK_LEAF ||
	       ((w.entry & LAST) && (page + 1) % level_pages(w.level) == 0);
}

int iotable_unmap(struct iotable *t, uint64_t page, uint64_t pages)
{
	if (!t->root)
		return 0;
	if (!begins(t, page) || !ends(t, page + pages - 1))
		return -ERANGE;
	clear_range(t, page, pages);
	return 0;
}
