/* SPDX-License-Identifier: MIT */
/*
 * Looking at a page's bytes wherever they are: in its frame, or in swap, where
 * they stay. While a page is between the two its bytes are nowhere to be had,
 * neither mapped ones (of a page that arrives) nor the frame's (of one that is
 * being freed, where looking would make a new page of zeros); but that takes a
 * moment only.
 */
#include <errno.h>
#include <string.h>

#include "ept/deadline.h"
#include "ept/observe.h"
#include "ept/state.h"

#define LOOK_MS 1000 /* a moment, unless a tier does not answer */

/* Where a page's bytes are, seen under the lock. */
enum where {
	WHERE_NOWHERE,
	WHERE_MOVING,
	WHERE_HERE,
	WHERE_ZEROS,
	WHERE_STORED
};

static enum where find(struct stage2 *s, gfn_t g, slot_t *slot)
{
	struct pte e = ept_lookup(&s->ept, g);
	frame_t f;

	if (!frame_of(s, g, &f) || share_of(s, f))
		return WHERE_NOWHERE;
	if (frame_set_has(&s->busy, f))
		return WHERE_MOVING;
	switch (pte_kind(e)) {
	case PTE_ARRIVING:
		return WHERE_MOVING;
	case PTE_LEAF:
	case PTE_UNMAPPED:
	case PTE_LEAVING:
		return WHERE_HERE;
	case PTE_ABSENT:
		return pte_payload(e) == PAGER_ZERO ? WHERE_ZEROS
						    : WHERE_NOWHERE;
	case PTE_STORED:
		*slot = pte_slot(e);
		return WHERE_STORED;
	default:
		return WHERE_NOWHERE;
	}
}

/* The same, when whoever is moving it is done with it. */
static enum where find_settled(struct stage2 *s, gfn_t g, slot_t *slot)
{
	enum where where = find(s, g, slot);
	struct timespec until;
	int r = 0;

	if (where == WHERE_MOVING)
		until = deadline_in(LOOK_MS);
	while (where == WHERE_MOVING && !s->stopping && !r) {
		r = pthread_cond_timedwait(&s->settled, &s->lock, &until);
		where = find(s, g, slot);
	}
	return where;
}

static bool is_in(struct stage2 *s, gfn_t g, slot_t slot)
{
	slot_t now = { slot.v + 1 };
	bool same;

	pthread_mutex_lock(&s->lock);
	same = find(s, g, &now) == WHERE_STORED && now.v == slot.v;
	pthread_mutex_unlock(&s->lock);
	return same;
}

/* A page in swap. 0; -EAGAIN: it has left it; -EIO: it is there, unreadable. */
static int look_stored(struct stage2 *s, gpa_t at, slot_t slot, void *to,
		       size_t len)
{
	_Alignas(PAGE_SIZE) uint8_t page[PAGE_SIZE];

	if (swap_peek(s->config.swap, slot, gfn_of(at), page))
		return is_in(s, gfn_of(at), slot) ? -EIO : -EAGAIN;
	memcpy(to, page + (at.v & PAGE_MASK), len);
	return 0;
}

static int look(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	uint64_t offset = at.v & PAGE_MASK;
	enum where where;
	slot_t slot;

	pthread_mutex_lock(&s->lock);
	where = find_settled(s, gfn_of(at), &slot);
	if (where == WHERE_HERE)
		memcpy(to, (uint8_t *)page_alias(s, gfn_of(at)) + offset, len);
	pthread_mutex_unlock(&s->lock);
	switch (where) {
	case WHERE_NOWHERE:
		return -EFAULT;
	case WHERE_MOVING:
		return -EIO;
	case WHERE_ZEROS:
		memset(to, 0, len);
		return 0;
	case WHERE_STORED:
		return look_stored(s, at, slot, to, len);
	default:
		return 0;
	}
}

int stage2_look(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	int r;

	assert(range_within(at.v & PAGE_MASK, len, PAGE_SIZE));
	do
		r = look(s, at, to, len);
	while (r == -EAGAIN);
	return r;
}
