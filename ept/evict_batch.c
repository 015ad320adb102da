/* SPDX-License-Identifier: MIT */
/* Batches: which pages are on their way out, each in one batch at a time. */
#include <errno.h>

#include "ept/decide.h"
#include "ept/evict.h"

unsigned evict_room(const struct stage2 *s)
{
	return s->frame_pages > 1 ? 1 : TIER_BATCH;
}

struct batch *evict_batch_new(void)
{
	return zeroed_new(sizeof(struct batch));
}

void evict_batch_free(struct batch *b)
{
	zeroed_free(b, sizeof(*b));
}

void evict_batch_rest(struct batch *b)
{
	if (b->used)
		zeroed_again(b, sizeof(*b));
}

static void add(struct stage2 *s, struct batch *b, frame_t f, unsigned i)
{
	struct victim *v = &b->victim[b->n++];

	*v = (struct victim){ .gfn = { gfn_of_frame(s, f).v + i }, .frame = f };
	v->has_copy = copy_of(s, page_of(s, f) + i, &v->copy);
}

bool evict_claimed(const struct stage2 *s, const struct batch *but, frame_t f)
{
	for (const struct batch *b = s->batches; b; b = b->next)
		for (unsigned i = 0; b != but && i < b->n; i++)
			if (b->victim[i].frame.v == f.v)
				return true;
	return false;
}

/* Each of its pages is leaving, because each will have an entry of its own. */
int evict_take(struct stage2 *s, struct batch *b, frame_t f)
{
	struct pte was = entry_of(s, f);
	struct pte e = away_entry(s, PTE_LEAVING, f, pte_rights(was));
	gfn_t g = gfn_of_frame(s, f);

	if (pte_kind(was) != PTE_UNMAPPED || !evict_movable(s, f) ||
	    evict_claimed(s, b, f))
		return -EBUSY;
	for (unsigned i = 0; i < s->frame_pages; i++) {
		if (ept_map(&s->ept, (gfn_t){ g.v + i }, 1, pte_offset(e, i)))
			return -ENOMEM; /* the first one splits, or none */
		add(s, b, f, i);
	}
	if (b->n > s->frame_pages)
		return 0;
	b->next = s->batches; /* it has begun */
	s->batches = b;
	return 0;
}

void evict_batch_ends(struct stage2 *s, const struct batch *b)
{
	struct batch **at = &s->batches;

	while (*at && *at != b)
		at = &(*at)->next;
	if (*at)
		*at = b->next;
}

void evict_cancel(struct stage2 *s, frame_t f)
{
	unsigned rights = pte_rights(entry_of(s, f));

	set_entry(s, f, away_entry(s, PTE_UNMAPPED, f, rights));
	decide_insert(s, f);
}
