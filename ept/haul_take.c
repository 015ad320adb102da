/* SPDX-License-Identifier: MIT */
/* Which pages come in: each is taken under the lock, with a frame for it. */
#include <errno.h>

#include "ept/evict.h"
#include "ept/haul.h"

static struct arrival *add(struct stage2 *s, struct haul *h, frame_t f,
			   unsigned rights)
{
	struct arrival *a = &h->page[h->n];

	h->used = true;
	*a = (struct arrival){
		.gfn = gfn_of_frame(s, f),
		.frame = f,
		.from = h->from + h->n++ * s->frame_pages,
		.to = leaf_entry(s, f, rights),
		.source = TRACE_SOURCE_MEMORY,
	};
	return a;
}

/* Its bytes are elsewhere: it needs a frame. Each of its pages is arriving,
 * so that each can go back where it was; splitting a large entry for that may
 * find no memory, at the first page. */
static enum haul_take take_away(struct stage2 *s, struct haul *h, frame_t f,
				unsigned rights, int *error)
{
	struct arrival *a;

	if (frames_free(s) < s->frame_pages)
		return HAUL_NO_FRAME;
	a = add(s, h, f, rights);
	for (unsigned i = 0; i < s->frame_pages; i++) {
		struct pte away = away_entry(s, PTE_ARRIVING, f, rights);

		a->from[i] = ept_lookup(&s->ept, arrival_gfn(a, i));
		*error = ept_map(&s->ept, arrival_gfn(a, i), 1,
				 pte_offset(away, i));
		if (*error) {
			h->n--;
			return HAUL_LOST;
		}
	}
	if (frames_wanted(s))
		pthread_cond_signal(&s->work);
	return HAUL_TAKEN;
}

static void take_unmapped(struct stage2 *s, struct haul *h, frame_t f,
			  unsigned rights)
{
	struct arrival *a = add(s, h, f, rights);

	a->in_memory = true;
	a->from[0] = away_entry(s, PTE_UNMAPPED, f, rights);
	frame_set_add(&s->busy, f);
}

enum haul_take haul_take(struct stage2 *s, struct haul *h, gfn_t g, int *error)
{
	struct pte e = ept_lookup(&s->ept, g);
	unsigned rights = pte_rights(e);
	frame_t f;

	*error = -EFAULT;
	if (!frame_of(s, g, &f))
		return HAUL_LOST;
	switch (pte_kind(e)) {
	case PTE_LEAF:
		return frame_set_has(&s->busy, f) ? HAUL_MOVING : HAUL_THERE;
	case PTE_LEAVING:
	case PTE_UNMAPPED:
		if (frame_set_has(&s->busy, f))
			return HAUL_MOVING;
		if (pte_kind(e) == PTE_LEAVING)
			evict_cancel(s, f); /* in time */
		take_unmapped(s, h, f, rights);
		return HAUL_TAKEN;
	case PTE_ARRIVING:
		return HAUL_MOVING;
	case PTE_ABSENT:
	case PTE_STORED:
		return take_away(s, h, f, rights, error);
	case PTE_POISONED:
		*error = -EHWPOISON;
		return HAUL_LOST;
	default:
		return HAUL_LOST;
	}
}

/* Once stopping, what is at hand is still given, but nobody waits. */
int haul_take_waiting(struct stage2 *s, struct haul *h, gfn_t g)
{
	for (h->waited = false;;) {
		int error;

		switch (haul_take(s, h, g, &error)) {
		case HAUL_TAKEN:
			return 0;
		case HAUL_THERE:
			return 1;
		case HAUL_LOST:
			if (error == -ENOMEM)
				tell_owner(s, g, ept_lookup(&s->ept, g), error);
			return error;
		case HAUL_MOVING:
			if (s->stopping)
				return -ECANCELED;
			wait_settled(s);
			break;
		case HAUL_NO_FRAME:
			if (s->stopping)
				return -ECANCELED;
			wait_for_frame(s);
			h->waited = true;
			h->victim = s->left;
			break;
		}
	}
}
