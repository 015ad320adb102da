/* SPDX-License-Identifier: MIT */
/*
 * Copies move between tiers, and keep their slots.
 *
 * Back, when a tier is nearly full: a hand goes around the records as CLOCK's
 * does around frames, passes over those used since it came by last, and takes
 * the others. Forth, when a copy was loaded twice from a slower tier and its
 * page leaves unchanged: the bytes are at hand, and were just verified.
 *
 * A copy is stored in its new place, then the record is changed in one instant
 * (record_move), then the old place is given up. Whoever reads or releases the
 * page in between wins: the new copy is given up instead.
 */
#include <errno.h>

#include "ept/swap_state.h"

#define SCAN_MAX (1u << 17) /* records a call looks at: about a millisecond */

static struct tier_stats stats_of(struct swap *s, unsigned tier)
{
	struct tier_stats st;

	s->tier[tier]->ops->stats(s->tier[tier], &st);
	return st;
}

static bool is_nearly_full(struct swap *s, unsigned tier)
{
	struct tier_stats st = stats_of(s, tier);

	return st.room_bytes < st.limit_bytes / 16;
}

static bool room_behind(struct swap *s, unsigned tier)
{
	for (unsigned i = tier + 1; i < s->tiers; i++)
		if (stats_of(s, i).room_bytes >= TIER_BATCH * PAGE_SIZE)
			return true;
	return false;
}

/* @r, which the caller holds, has a second copy: make it the only one. */
static bool settle(struct swap *s, struct record *r, unsigned tier,
		   uint64_t where)
{
	unsigned gone = tier_of(r);
	uint64_t gone_where = r->where;
	bool moved = record_move(r, (uint8_t)tier, where);

	if (!moved) {
		gone = tier;
		gone_where = where;
	}
	s->tier[gone]->ops->release(s->tier[gone], gone_where);
	return moved;
}

/* Copies on their way back. */
struct moving {
	unsigned n;
	struct record *record[TIER_BATCH]; /* held */
	uint64_t left; /* loaded, and not yet settled or given up */
};

/* Where there are few the hand may come by twice. */
static bool has(const struct moving *m, const struct record *r)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->record[i] == r)
			return true;
	return false;
}

/* Hold the record if it lies in @tier and was not used lately. */
static bool take_old(struct swap *s, uint64_t index, unsigned tier)
{
	struct record *r = &s->records.record[index];

	if (tier_of(r) != tier ||
	    atomic_fetch_and(&r->marks, (uint8_t)~MARK_YOUNG) & MARK_YOUNG)
		return false;
	if (!record_hold(&s->records, index))
		return false;
	if (tier_of(r) == tier)
		return true;
	swap_drop(s, r);
	return false;
}

static void find_old(struct swap *s, unsigned tier, struct moving *m)
{
	uint64_t all = s->records.fresh;
	uint64_t looks = 2 * all < SCAN_MAX ? 2 * all : SCAN_MAX;

	for (; looks && m->n < TIER_BATCH; looks--) {
		struct record *r = &s->records.record[s->hand];

		if (!has(m, r) && take_old(s, s->hand, tier))
			m->record[m->n++] = r;
		s->hand = s->hand + 1 < all ? s->hand + 1 : 0;
	}
}

static void load_old(struct swap *s, unsigned tier, struct moving *m)
{
	struct batch from = { 0 };

	for (unsigned i = 0; i < m->n; i++)
		batch_add(&from, i, s->moved + i * PAGE_SIZE,
			  m->record[i]->where);
	traffic_load(s, tier, &from);
	for (unsigned i = 0; i < m->n; i++)
		if (!from.io[i].error &&
		    seal_intact(s, m->record[i], from.io[i].page))
			m->left |= UINT64_C(1) << i;
}

static unsigned store_old(struct swap *s, unsigned tier, struct moving *m)
{
	struct batch to = { 0 };
	unsigned moved = 0;

	for (uint64_t rest = m->left; rest;) {
		unsigned i = take_lowest(&rest);

		batch_add(&to, i, s->moved + i * PAGE_SIZE, 0);
	}
	traffic_store(s, tier, &to, tier == s->tiers - 1);
	for (unsigned k = 0; k < to.n; k++) {
		unsigned i = to.page[k];

		if (to.io[k].error)
			continue;
		moved += settle(s, m->record[i], tier, to.io[k].where);
		m->left &= ~(UINT64_C(1) << i);
	}
	return moved;
}

static unsigned demote_from(struct swap *s, unsigned tier)
{
	struct moving m = { 0 };
	unsigned moved = 0;

	find_old(s, tier, &m);
	if (m.n)
		load_old(s, tier, &m);
	for (unsigned to = tier + 1; to < s->tiers && m.left; to++)
		moved += store_old(s, to, &m);
	for (unsigned i = 0; i < m.n; i++)
		swap_drop(s, m.record[i]);
	count(&s->demoted, moved);
	return moved;
}

/* The last tiers first: they make room for those before them. */
unsigned swap_demote(struct swap *s)
{
	unsigned moved = 0;

	if (s->tiers < 2 || pthread_mutex_trylock(&s->moving))
		return 0;
	for (unsigned tier = s->tiers - 1; tier-- > 0 && !moved;)
		if (is_nearly_full(s, tier) && room_behind(s, tier))
			moved = demote_from(s, tier);
	pthread_mutex_unlock(&s->moving);
	return moved;
}

static bool is_wanted(const struct record *r)
{
	uint8_t marks = atomic_load_explicit(&r->marks, memory_order_relaxed);
	unsigned tier = tier_of(r);

	return tier > 0 && tier < SWAP_TIERS &&
	       (marks & (MARK_WANTED | MARK_UNFIT)) == MARK_WANTED;
}

static void promote(struct swap *s, struct record *r, const void *page)
{
	struct batch b = { 0 };

	batch_add(&b, 0, (void *)page, 0);
	traffic_store(s, 0, &b, false);
	if (b.io[0].error == -E2BIG)
		atomic_fetch_or(&r->marks, MARK_UNFIT);
	if (b.io[0].error || !settle(s, r, 0, b.io[0].where))
		return;
	atomic_fetch_and(&r->marks, (uint8_t) ~(MARK_LOADED | MARK_WANTED));
	count(&s->promoted, 1);
}

void swap_promote(struct swap *s, struct record *r, const void *page)
{
	if (is_wanted(r) && !is_nearly_full(s, 0))
		promote(s, r, page);
}
