/* SPDX-License-Identifier: MIT */
/* One array that never moves, so that a record can be read without a lock. */
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "ept/record.h"
#include "ept/swap.h"

#define COUNT_MAX \
	(UINT64_C(1) << SWAP_RECORD_BITS) /* 2 TiB of pages; 16 GiB reserved */
#define COUNT_MIN	(UINT64_C(1) << 16)
#define NONE		UINT64_MAX /* the end of the free list */

#define INDEX_BITS	32
#define GENERATION_BITS 20

static_assert(COUNT_MAX <= UINT64_C(1) << INDEX_BITS, "a slot names any");
static_assert(INDEX_BITS + GENERATION_BITS == 52, "a slot fits an entry");

/* Address space for every record there could be; memory comes as they are
 * used. A host that counts address space gives less. */
int records_init(struct records *t)
{
	*t = (struct records){ .count = COUNT_MAX, .free = NONE };
	for (; t->count >= COUNT_MIN; t->count /= 2) {
		t->record = mmap(NULL, t->count * sizeof(*t->record),
				 PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				 -1, 0);
		if (t->record == MAP_FAILED)
			continue;
		pthread_mutex_init(&t->lock, NULL);
		return 0;
	}
	*t = (struct records){ 0 };
	return -ENOMEM;
}

void records_destroy(struct records *t)
{
	munmap(t->record, t->count * sizeof(*t->record));
	pthread_mutex_destroy(&t->lock);
}

struct record *record_take(struct records *t)
{
	struct record *r = NULL;

	pthread_mutex_lock(&t->lock);
	if (t->free != NONE) {
		r = &t->record[t->free];
		t->free = r->where;
	} else if (t->fresh < t->count) {
		r = &t->record[t->fresh++];
	}
	if (r) {
		r->used = true;
		t->used++;
	}
	pthread_mutex_unlock(&t->lock);
	return r;
}

void record_free(struct records *t, struct record *r)
{
	pthread_mutex_lock(&t->lock);
	r->used = false;
	r->generation++;
	r->where = t->free;
	t->free = record_index(t, r);
	t->used--;
	pthread_mutex_unlock(&t->lock);
}

uint64_t record_index(const struct records *t, const struct record *r)
{
	return (uint64_t)(r - t->record);
}

static uint64_t life(const struct record *r)
{
	return r->generation & ((1u << GENERATION_BITS) - 1);
}

slot_t record_slot(const struct records *t, const struct record *r)
{
	return (slot_t){ life(r) << INDEX_BITS | record_index(t, r) };
}

struct record *record_of(const struct records *t, slot_t slot)
{
	uint64_t i = (uint32_t)slot.v;
	struct record *r;

	if (i >= t->count)
		return NULL;
	r = &t->record[i];
	return r->used && life(r) == slot.v >> INDEX_BITS ? r : NULL;
}

uint64_t records_used(struct records *t)
{
	uint64_t used;

	pthread_mutex_lock(&t->lock);
	used = t->used;
	pthread_mutex_unlock(&t->lock);
	return used;
}
