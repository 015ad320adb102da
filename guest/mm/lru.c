/* SPDX-License-Identifier: MIT */
/*
 * Which page was not used for long? Anonymous pages and pages of files, each
 * in two lists, newest first: those in use lately (active), and those that are
 * looked at before long and leave unless they were used again (inactive).
 *
 *      gathered             used: to the front
 *         |                  +---------+
 *         v       used       |         |
 *      inactive ---------> active <----+
 *         |    <---------
 *         v     not used
 *       leaves
 *
 * A frame is gathered when memory gets short, not when it is handed out: until
 * then a page fault pays nothing for it.
 */
#include "guest/mm/reclaim.h"

#include "guest/mm/zone.h"

/* So many found are enough for one call. */
#define GATHER 256u

static uint32_t hand; /* where gathering goes on */

static struct frame_list *list_of(const struct frame *f)
{
	return &counts.lru[f->use == FRAME_ANON ? LRU_ANON : LRU_FILE]
			  [!!(f->flags & FRAME_ACTIVE)];
}

void lru_add(struct frame *f, bool active)
{
	f->flags &= (uint16_t)~FRAME_ACTIVE;
	f->flags |= FRAME_LISTED | (active ? FRAME_ACTIVE : 0);
	frame_list_add(list_of(f), f);
}

void lru_remove(struct frame *f)
{
	frame_list_remove(list_of(f), f);
	f->flags &= (uint16_t)~FRAME_LISTED;
}

void lru_move(struct frame *f, bool active)
{
	lru_remove(f);
	lru_add(f, active);
}

static bool is_wanted(const struct frame *f)
{
	if (f->flags & FRAME_LISTED)
		return false;
	return f->use == FRAME_FILE ? f->owner != NULL
				    : f->use == FRAME_ANON && f->maps;
}

/* Descriptors from the hand on to @end, which is not 0. */
static void gather_to(uint32_t end, unsigned *looks, unsigned *found)
{
	for (; hand < end && *looks && *found < GATHER; hand++, --*looks) {
		if (!is_wanted(frames + hand))
			continue;
		lru_add(frames + hand, false);
		++*found;
	}
}

/* All are listed: there is nothing to look for. */
static bool is_complete(void)
{
	uint64_t listed = 0;

	for (unsigned kind = 0; kind < LRU_KINDS; kind++)
		listed += counts.lru[kind][0].count + counts.lru[kind][1].count;
	return listed >= counts.frames_anon + counts.frames_file;
}

void lru_gather(unsigned looks)
{
	unsigned found = 0, rounds = 0;

	if (is_complete())
		return;
	while (looks && found < GATHER && rounds < 2) {
		uint32_t end = zone_span(&hand);

		if (end) {
			gather_to(end, &looks, &found);
		} else {
			hand = 0;
			rounds++;
		}
	}
}
