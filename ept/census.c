/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ept/census.h"
#include "ept/state.h"

#define BLOCK	LEVEL_ENTRIES /* pages */
#define COUNTED 16 /* blocks of a cell */

const char *const census_name[CENSUS_STATES] = {
	[CENSUS_ABSENT] = "absent",	[CENSUS_MAPPED] = "mapped",
	[CENSUS_UNMAPPED] = "unmapped", [CENSUS_MOVING] = "moving",
	[CENSUS_STORED] = "stored",	[CENSUS_POISONED] = "poisoned",
};

/* What each kind of entry counts as; a hole as nothing. */
static const uint8_t state_of[PTE_KINDS] = {
	[PTE_HOLE] = CENSUS_STATES,	  [PTE_TABLE] = CENSUS_STATES,
	[PTE_LEAF] = CENSUS_MAPPED,	  [PTE_ABSENT] = CENSUS_ABSENT,
	[PTE_ARRIVING] = CENSUS_MOVING,	  [PTE_UNMAPPED] = CENSUS_UNMAPPED,
	[PTE_LEAVING] = CENSUS_MOVING,	  [PTE_STORED] = CENSUS_STORED,
	[PTE_POISONED] = CENSUS_POISONED,
};

/* Pages [first, end) of a region. */
struct stretch {
	uint64_t first, end;
};

static struct stretch stretch_of(const struct stage2_region *r)
{
	return (struct stretch){ r->first.v, r->first.v + r->pages };
}

static unsigned cells_of(const struct stage2_region *r, uint64_t cell_pages)
{
	struct stretch s = stretch_of(r);

	return (unsigned)((s.end - 1) / cell_pages - s.first / cell_pages + 1);
}

static uint64_t all_cells(const struct stage2_config *c, uint64_t cell_pages)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->regions; i++)
		n += cells_of(&c->region[i], cell_pages);
	return n;
}

static void add(uint32_t cell[CENSUS_STATES], struct pte e, uint64_t pages)
{
	unsigned state = state_of[pte_kind(e)];

	if (state < CENSUS_STATES)
		cell[state] += (uint32_t)pages;
}

/* Count the pages [from, to) of one block: the entries of a table, or what one
 * larger entry says of all of them. */
static void count_block(struct stage2 *s, uint64_t from, uint64_t to,
			uint32_t cell[CENSUS_STATES])
{
	struct walk w;

	pthread_mutex_lock(&s->lock);
	w = ept_walk(&s->ept, (gfn_t){ from });
	if (w.level > 1) {
		add(cell, (struct pte){ w.entry }, to - from);
	} else {
		const struct pte *entry = (const void *)(uintptr_t)w.slot;

		for (uint64_t page = from; page < to; page++)
			add(cell, *entry++, 1);
	}
	pthread_mutex_unlock(&s->lock);
}

static void count_cell(struct stage2 *s, struct stretch r, uint64_t first,
		       uint64_t pages, uint32_t cell[CENSUS_STATES])
{
	uint64_t blocks = pages / BLOCK;
	uint64_t step = blocks > COUNTED ? pages / COUNTED : BLOCK;

	for (uint64_t at = first; at < first + pages; at += step) {
		uint64_t from = at > r.first ? at : r.first;
		uint64_t to = at + BLOCK < r.end ? at + BLOCK : r.end;

		if (from < to)
			count_block(s, from, to, cell);
	}
}

static void count_region(struct stage2 *s, unsigned i, struct census *c)
{
	const struct stage2_region *r = &s->config.region[i];
	struct census_region *to = &c->region[c->regions++];

	*to = (struct census_region){
		.first = { r->first.v & ~(c->cell_pages - 1) },
		.cell = c->cells,
		.cells = cells_of(r, c->cell_pages),
		.share = s->config.share[i],
	};
	c->cells += to->cells;
	for (unsigned k = 0; k < to->cells; k++)
		count_cell(s, stretch_of(r), to->first.v + k * c->cell_pages,
			   c->cell_pages, c->cell[to->cell + k]);
}

void stage2_census(struct stage2 *s, struct census *c)
{
	memset(c, 0, sizeof(*c));
	c->cell_pages = BLOCK;
	while (all_cells(&s->config, c->cell_pages) > CENSUS_CELLS)
		c->cell_pages *= 2;
	if (c->cell_pages / BLOCK > COUNTED)
		c->counted = COUNTED;
	for (unsigned i = 0; i < s->config.regions; i++)
		count_region(s, i, c);
}
