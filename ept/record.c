/* SPDX-License-Identifier: MIT */
/* One array that never moves, so that a record can be read without a lock. */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

#include "ept/record.h"

#define NONE		UINT64_MAX /* the end of the free list */

#define INDEX_BITS	32
#define GENERATION_BITS 20

static_assert(INDEX_BITS + GENERATION_BITS == 52, "a slot fits an entry");

/* Of hold; the rest counts who holds it beside the owner. */
#define MOVING 0x8000 /* `where` is changing, for an instant */
#define OWNED  0x4000
#define HELD   0x7fff /* by anybody */

/* Address space for every record there could be; memory comes as they are
 * used. */
int records_init(struct records *t, uint64_t count)
{
	void *at =
		mmap(NULL, count * sizeof(*t->record), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -ENOMEM;
	*t = (struct records){ .record = at, .count = count, .free = NONE };
	pthread_mutex_init(&t->lock, NULL);
	return 0;
}

void records_destroy(struct records *t)
{
	munmap(t->record, t->count * sizeof(*t->record));
	pthread_mutex_destroy(&t->lock);
}

struct record *record_take(struct records *t, uint8_t nowhere)
{
	struct record *r = NULL;

	pthread_mutex_lock(&t->lock);
	if (t->free != NONE) {
		r = &t->record[t->free];
		t->free = r->where;
	} else if (t->fresh < t->count) {
		r = &t->record[t->fresh++];
	}
	if (r)
		t->used++;
	pthread_mutex_unlock(&t->lock);
	if (!r)
		return NULL;
	atomic_store_explicit(&r->tier, nowhere, memory_order_relaxed);
	atomic_store_explicit(&r->marks, MARK_YOUNG, memory_order_relaxed);
	atomic_store_explicit(&r->hold, OWNED, memory_order_release);
	return r;
}

void record_free(struct records *t, struct record *r)
{
	pthread_mutex_lock(&t->lock);
	r->generation++;
	r->where = t->free;
	t->free = record_index(t, r);
	t->used--;
	pthread_mutex_unlock(&t->lock);
}

struct record *record_hold(const struct records *t, uint64_t index)
{
	struct record *r;
	uint16_t hold;

	if (index >= t->fresh)
		return NULL;
	r = &t->record[index];
	hold = atomic_load_explicit(&r->hold, memory_order_relaxed);
	for (;;) {
		if (!(hold & HELD))
			return NULL;
		assert((hold & ~MOVING & ~OWNED) < OWNED - 1);
		if (hold & MOVING) {
			sched_yield();
			hold = atomic_load_explicit(&r->hold,
						    memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(
				   &r->hold, &hold, hold + 1,
				   memory_order_acquire,
				   memory_order_relaxed)) {
			return r;
		}
	}
}

bool record_drop(struct record *r)
{
	uint16_t before =
		atomic_fetch_sub_explicit(&r->hold, 1, memory_order_acq_rel);

	assert(before & ~MOVING & ~OWNED);
	return (before & HELD) == 1;
}

bool record_disown(struct record *r)
{
	uint16_t before = atomic_fetch_and_explicit(&r->hold, (uint16_t)~OWNED,
						    memory_order_acq_rel);

	assert(before & OWNED); /* released twice, or never stored */
	return (before & HELD) == OWNED;
}

/* The owner may leave while MOVING is set; the caller's own hold, the last,
 * finds the new place then. */
bool record_move(struct record *r, uint8_t tier, uint64_t where)
{
	uint16_t both = OWNED | 1;

	if (!atomic_compare_exchange_strong_explicit(
		    &r->hold, &both, OWNED | 1 | MOVING, memory_order_acquire,
		    memory_order_relaxed))
		return false;
	r->where = where;
	atomic_store_explicit(&r->tier, tier, memory_order_relaxed);
	atomic_fetch_and_explicit(&r->hold, (uint16_t)~MOVING,
				  memory_order_release);
	return true;
}

uint64_t record_index(const struct records *t, const struct record *r)
{
	return (uint64_t)(r - t->record);
}

uint32_t record_index_of(slot_t slot)
{
	return (uint32_t)slot.v;
}

static uint64_t life(const struct record *r)
{
	return atomic_load_explicit(&r->generation, memory_order_relaxed) &
	       ((1u << GENERATION_BITS) - 1);
}

slot_t record_slot(const struct records *t, const struct record *r)
{
	return (slot_t){ life(r) << INDEX_BITS | record_index(t, r) };
}

struct record *record_of(const struct records *t, slot_t slot)
{
	uint64_t i = record_index_of(slot);
	struct record *r;

	if (i >= t->count)
		return NULL;
	r = &t->record[i];
	return (atomic_load_explicit(&r->hold, memory_order_relaxed) & HELD) &&
			       life(r) == slot.v >> INDEX_BITS
		       ? r
		       : NULL;
}

uint64_t records_used(struct records *t)
{
	uint64_t used;

	pthread_mutex_lock(&t->lock);
	used = t->used;
	pthread_mutex_unlock(&t->lock);
	return used;
}
