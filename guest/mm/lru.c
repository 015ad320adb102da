/* SPDX-License-Identifier: MIT */
#include "guest/mm/lru.h"

#include "guest/mm/zone.h"

/* So many found are enough for one call. */
#define GATHER 256u

struct list {
	uint32_t first, last; /* frame numbers, 0: none */
	uint64_t count;
};

static struct list lists[LRU_KINDS][2]; /* by kind; [1] is active */
static uint32_t hand; /* where gathering goes on */

static struct list *list_of(const struct frame *f)
{
	return &lists[f->use == FRAME_ANON ? LRU_ANON : LRU_FILE]
		     [!!(f->flags & FRAME_ACTIVE)];
}

static void add(struct frame *f, bool active)
{
	uint32_t n = (uint32_t)(f - frames);
	struct list *l;

	f->flags &= (uint16_t)~FRAME_ACTIVE;
	f->flags |= FRAME_LISTED | (active ? FRAME_ACTIVE : 0);
	l = list_of(f);
	f->prev = 0;
	f->next = l->first;
	*(l->first ? &frames[l->first].prev : &l->last) = n;
	l->first = n;
	l->count++;
}

void lru_remove(struct frame *f)
{
	struct list *l = list_of(f);

	*(f->prev ? &frames[f->prev].next : &l->first) = f->next;
	*(f->next ? &frames[f->next].prev : &l->last) = f->prev;
	l->count--;
	f->flags &= (uint16_t)~FRAME_LISTED;
}

void lru_add(struct frame *f)
{
	add(f, false);
}

void lru_move(struct frame *f, bool active)
{
	lru_remove(f);
	add(f, active);
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
		add(frames + hand, false);
		++*found;
	}
}

/* All are listed: there is nothing to look for. */
static bool is_complete(void)
{
	struct frame_counts c = frame_counts();
	uint64_t listed = 0;

	for (unsigned kind = 0; kind < LRU_KINDS; kind++)
		listed += lists[kind][0].count + lists[kind][1].count;
	return listed >= c.by_use[FRAME_ANON] + c.by_use[FRAME_FILE];
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

struct frame *lru_last(enum lru_kind kind, bool active)
{
	uint32_t n = lists[kind][active].last;

	return n ? frames + n : NULL;
}

uint64_t lru_count(enum lru_kind kind, bool active)
{
	return lists[kind][active].count;
}
