/* SPDX-License-Identifier: MIT */
/*
 * The auditor's look at all pages together.
 */
#include <errno.h>
#include <stdlib.h>

#include "ept/audit_state.h"
#include "ept/evict.h"

static int by_slot(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return x->slot.v < y->slot.v ? -1 : x->slot.v > y->slot.v;
}

/* A slot's number is used once: one that two pages name, though at different
 * moments, is shared. */
static int check_names(struct auditor *a)
{
	bool same = true;

	if (a->names)
		qsort(a->name, a->names, sizeof(a->name[0]), by_slot);
	pthread_mutex_lock(&a->s->lock);
	for (size_t i = 1; i < a->names && same; i++) {
		const struct name *n = &a->name[i];
		bool twice = n[-1].slot.v == n->slot.v;

		same = audit_agree(a, AUDIT_SLOT_TWICE, n->gfn,
				   twice ? n[-1].gfn.v : n->gfn.v, n->gfn.v);
	}
	pthread_mutex_unlock(&a->s->lock);
	return same ? 0 : -EBADMSG;
}

/* One recursion, with the level as a value. */
static void recount(const struct pte *table, unsigned level,
		    uint64_t pages[PTE_KINDS])
{
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
		enum pte_kind kind = pte_kind(table[i]);

		if (kind == PTE_TABLE)
			recount(pte_child(table[i]), level - 1, pages);
		else
			pages[kind] += level_pages(level);
	}
}

static bool check_counters(struct auditor *a)
{
	const struct ept *t = &a->s->ept;
	uint64_t pages[PTE_KINDS] = { 0 };
	bool same = true;

	recount(t->root, 4, pages);
	for (unsigned k = 0; k < PTE_KINDS && same; k++) {
		same = audit_agree(a, AUDIT_COUNTERS, (gfn_t){ 0 }, t->pages[k],
				   pages[k]);
		a->r->kind = k;
	}
	return same;
}

/* A page that arrives from swap names its slot nowhere meanwhile; and one of a
 * batch on its way out may have been stored already. */
static bool check_used(struct auditor *a)
{
	const struct stage2 *s = a->s;
	uint64_t named = s->ept.pages[PTE_STORED];
	uint64_t used = swap_slots_used(s->config.swap);
	uint64_t most = s->ept.pages[PTE_ARRIVING];
	slot_t copy;

	for (uint64_t at = 0; at < s->pages; at++)
		named += copy_of(s, at, &copy);
	for (const struct batch *b = s->batches; b; b = b->next)
		most += b->n;
	most += named;
	return audit_agree(a, AUDIT_SWAP_USED, (gfn_t){ 0 },
			   used > most	  ? most
			   : named > used ? named
					  : used,
			   used);
}

/* Who is under watch is unmapped, and in the queue. */
static int check_watch(struct auditor *a)
{
	const struct stage2 *s = a->s;
	const struct watch *w = &s->watch;
	bool *queued = calloc(s->backing.frames, sizeof(*queued));
	bool same = true;

	if (!queued)
		return -ENOMEM;
	for (uint64_t i = 0; i < w->n; i++)
		queued[watch_at(w, i).v] = true;
	for (uint64_t f = 0; f < s->backing.frames && same; f++) {
		gfn_t g = gfn_of_frame(s, (frame_t){ f });

		if (frame_set_has(&s->watched, (frame_t){ f }))
			same = audit_agree(
				a, AUDIT_WATCH, g, true,
				queued[f] && pte_kind(ept_lookup(&s->ept, g)) ==
						     PTE_UNMAPPED);
	}
	free(queued);
	return same ? 0 : -EBADMSG;
}

static int check_rest(struct auditor *a)
{
	int r;

	pthread_mutex_lock(&a->s->lock);
	r = check_counters(a) && check_used(a) ? check_watch(a) : -EBADMSG;
	pthread_mutex_unlock(&a->s->lock);
	return r;
}

int audit_whole(struct auditor *a)
{
	int r = check_names(a);

	return r ? r : check_rest(a);
}
