/* SPDX-License-Identifier: MIT */
/* Swap as a whole: its tiers, its records' lives, its counts. How pages leave,
 * come back, are verified and move is in swap_out.c, swap_in.c, swap_seal.c
 * and swap_move.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ept/clock.h"
#include "ept/swap_state.h"
#include "ept/trace.h"

struct record *swap_hold(struct swap *s, slot_t slot)
{
	struct record *r = record_hold(&s->records, record_index_of(slot));

	if (!r || record_of(&s->records, slot) == r)
		return r;
	swap_drop(s, r);
	return NULL;
}

/* Nobody holds it any more. */
static void give_up(struct swap *s, struct record *r)
{
	unsigned tier = tier_of(r);

	if (tier == SWAP_SAME)
		atomic_fetch_sub(&s->same_held, 1);
	else if (tier != SWAP_NOWHERE)
		s->tier[tier]->ops->release(s->tier[tier], r->where);
	record_free(&s->records, r);
}

void swap_drop(struct swap *s, struct record *r)
{
	if (record_drop(r))
		give_up(s, r);
}

void swap_disown(struct swap *s, struct record *r)
{
	if (record_disown(r))
		give_up(s, r);
}

void swap_release(struct swap *s, slot_t slot)
{
	struct record *r = record_of(&s->records, slot);

	assert(r); /* released twice, or never stored */
	swap_disown(s, r);
}

uint64_t swap_records(const struct swap *s)
{
	return s->records.count;
}

uint32_t swap_record_of_slot(slot_t slot)
{
	return (uint32_t)slot.v;
}

slot_t swap_slot_of(const struct swap *s, uint32_t record)
{
	return record_slot(&s->records, &s->records.record[record]);
}

unsigned swap_tier(struct swap *s, slot_t slot)
{
	struct record *r = record_of(&s->records, slot);

	return r ? tier_of(r) : SWAP_NOWHERE;
}

const char *swap_tier_name(struct swap *s, slot_t slot)
{
	return swap_name_of(s, swap_tier(s, slot));
}

const char *swap_name_of(const struct swap *s, unsigned tier)
{
	if (tier == SWAP_SAME)
		return "same";
	return tier < s->tiers ? tier_label(s->tier[tier]) : "none";
}

static void count_store(struct traffic *c, struct tier *t,
			const struct tier_io *io)
{
	if (!io->error) {
		count(&c->stored, 1);
		count(&c->stored_bytes, t->ops->bytes(t, io->where));
	} else if (io->error == -E2BIG) {
		count(&c->refused, 1);
	} else if (io->error != -ENOSPC) {
		count(&c->store_failures, 1);
	}
}

/* Is the tier to blame that there is no room? One that packs pages says only
 * about how much it has. */
static bool has_room(struct tier *t, unsigned n)
{
	struct tier_stats st;

	t->ops->stats(t, &st);
	return !t->codec && st.room_bytes >= n * PAGE_SIZE;
}

/* What became of a batch, for the tier's rest. */
static void learn(struct swap *s, unsigned tier, const struct tier_io *io,
		  unsigned n)
{
	struct tier *t = s->tier[tier];
	int error = -E2BIG; /* says nothing of the tier */
	enum rest_news news;

	for (unsigned i = 0; i < n && error; i++)
		if (!io[i].error || error == -E2BIG || error == -ENOSPC)
			error = io[i].error;
	if (error == -E2BIG || (error == -ENOSPC && !has_room(t, n)))
		return;
	news = rest_learn(&s->rest[tier], error, clock_ns());
	if (news != REST_NO_NEWS && s->told)
		s->told(s->ctx, tier_label(t), error);
}

void traffic_store(struct swap *s, unsigned tier, struct batch *b, bool raw_ok)
{
	struct traffic *c = &s->traffic[tier];
	struct tier *t = s->tier[tier];
	uint64_t start = trace_now();
	int error;
	unsigned n = rest_allows(&s->rest[tier], b->n, clock_ns(), &error);

	for (unsigned i = n; i < b->n; i++)
		b->io[i].error = error;
	if (!n)
		return;
	t->ops->store(t, b->io, n, raw_ok);
	count(&c->store_ticks, trace_now() - start);
	for (unsigned i = 0; i < n; i++)
		count_store(c, t, &b->io[i]);
	learn(s, tier, b->io, n);
}

void swap_retry(struct swap *s)
{
	for (unsigned i = 0; i < s->tiers; i++)
		rest_end(&s->rest[i]);
}

void traffic_load(struct swap *s, unsigned tier, struct batch *b)
{
	struct traffic *c = &s->traffic[tier];
	uint64_t start = trace_now(), failures = 0;

	s->tier[tier]->ops->load(s->tier[tier], b->io, b->n);
	count(&c->load_ticks, trace_now() - start);
	for (unsigned i = 0; i < b->n; i++)
		failures += b->io[i].error && b->io[i].error != -EBADMSG;
	count(&c->loaded, b->n - failures);
	count(&c->load_failures, failures);
}

unsigned swap_tiers(const struct swap *s)
{
	return s->tiers;
}

const char *swap_tier_stats(struct swap *s, unsigned i, struct tier_stats *st)
{
	struct tier *t = s->tier[i];

	t->ops->stats(t, st);
	return tier_label(t);
}

void swap_tier_traffic(struct swap *s, unsigned i, struct swap_traffic *t)
{
	struct traffic *c = &s->traffic[i];

	*t = (struct swap_traffic){
		.stored = c->stored,
		.stored_bytes = c->stored_bytes,
		.store_ticks = c->store_ticks,
		.loaded = c->loaded,
		.load_ticks = c->load_ticks,
		.refused = c->refused,
		.store_failures = c->store_failures,
		.load_failures = c->load_failures,
	};
}

void swap_counts(struct swap *s, struct swap_counts *c)
{
	*c = (struct swap_counts){
		.same_held = s->same_held,
		.same_stored = s->same_stored,
		.same_loaded = s->same_loaded,
		.demoted = s->demoted,
		.promoted = s->promoted,
	};
}

uint64_t swap_slots_used(struct swap *s)
{
	return records_used(&s->records);
}

static int make_key(struct swap *s)
{
	ssize_t n;

	do
		n = getrandom(s->key, sizeof(s->key), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(s->key) ? 0 : -EIO;
}

void swap_destroy(struct swap *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->tiers; i++)
		s->tier[i]->ops->destroy(s->tier[i]);
	if (s->records.record)
		records_destroy(&s->records);
	explicit_bzero(s->key, sizeof(s->key));
	pthread_mutex_destroy(&s->moving);
	for (unsigned i = 0; i < SWAP_TIERS; i++)
		rest_destroy(&s->rest[i]);
	free(s->moved);
	free(s->flipped);
	free(s);
}

/* A page has one record, but while a new copy takes the place of an old one, or
 * somebody still reads a copy that was given up: batches of pages, not more. */
static uint64_t records_for(uint64_t pages)
{
	return pages + 16 * TIER_BATCH;
}

static int init(struct swap *s, const struct swap_config *c)
{
	int r = make_key(s);

	pthread_mutex_init(&s->moving, NULL);
	for (unsigned i = 0; i < SWAP_TIERS; i++)
		rest_init(&s->rest[i]);
	s->told = c->told;
	s->ctx = c->ctx;
	if (r)
		return r;
	s->flip_nth = c->flip_nth;
	s->flipped = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	if (c->tiers > 1)
		s->moved = aligned_alloc(PAGE_SIZE, TIER_BATCH * PAGE_SIZE);
	if (!s->flipped || (c->tiers > 1 && !s->moved))
		return -ENOMEM;
	return records_init(&s->records, records_for(c->pages));
}

int swap_create(struct swap **out, const struct swap_config *c)
{
	struct swap *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	assert(c->tiers <= SWAP_TIERS && c->pages);
	r = init(s, c);
	if (r) {
		swap_destroy(s); /* has no tiers yet: they stay the caller's */
		return r;
	}
	s->tiers = c->tiers;
	memcpy(s->tier, c->tier, sizeof(s->tier));
	*out = s;
	return 0;
}
