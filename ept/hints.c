/* SPDX-License-Identifier: MIT */
/*
 * Rounds of hints. The guest says which pages it has no use for, but may use
 * one again without a word, even before we hear of the hint (virtio 1.2,
 * "Free Page Hinting"). So a round begins with all of memory unmapped: who is
 * used from then on shows it, by a fault or by a device's pin, and stays.
 *
 *   begin     everything unmapped, and flushed; what cannot be counts as used
 *   meanwhile a page that is mapped, or pinned to be written, counts as used
 *   discard   of the pages that are hinted, those that do not
 */
#include "ept/evict.h"
#include "ept/guest_mem.h"

#define SOME 4096 /* frames looked at while others wait for the lock */

/* Unmap some of the frames [*f, @end). What cannot be, because a device or a
 * thread is at it, counts as used if it @counts. False: those were the last. */
static bool unmap_some(struct stage2 *s, frame_t *f, frame_t end, bool counts)
{
	bool more;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0;
	     i < SOME && s->stale.n < GATHER_MAX && f->v < end.v; i++, f->v++)
		if (evict_movable(s, *f))
			evict_age(s, *f);
		else if (counts)
			frame_set_add(&s->used, *f);
	more = f->v < end.v && !s->stopping;
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	return more;
}

bool guest_hints_begin(struct stage2 *s)
{
	struct frame_set used;
	frame_t f = { 0 };

	guest_hints_end(s);
	if (!s->config.paging || !frame_set_init(&used, s->backing.frames))
		return false;
	pthread_mutex_lock(&s->lock);
	s->used = used;
	pthread_mutex_unlock(&s->lock);
	while (unmap_some(s, &f, (frame_t){ s->backing.frames }, true))
		;
	return true;
}

void hints_settle(struct stage2 *s, frame_t first, frame_t end)
{
	while (unmap_some(s, &first, end, false))
		;
}

void guest_hints_end(struct stage2 *s)
{
	struct frame_set none = { 0 };

	pthread_mutex_lock(&s->lock);
	frame_set_free(&s->used);
	s->used = none;
	pthread_mutex_unlock(&s->lock);
}
