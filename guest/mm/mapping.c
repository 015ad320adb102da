/* SPDX-License-Identifier: MIT */
/* The page cache: how pages come into it, are stored, and leave. */
#include "guest/mm/mapping.h"

#include "guest/lib/base.h"
#include "guest/mm/leaf.h"
#include "guest/mm/swap.h"
#include "guest/mm/zone.h"
#include "guest/proc/sched.h"

void mapping_init(struct mapping *m, const struct mapping_ops *ops)
{
	*m = (struct mapping){ .ops = ops, .end = UINT64_MAX };
}

/* Words of the tree: see mapping.h. */
static struct frame *frame_of(uint64_t word)
{
	return word & 1 ? NULL : (struct frame *)word;
}

static uint32_t slot_of(uint64_t word)
{
	return word & 1 ? (uint32_t)(word >> 1) : 0;
}

static uint64_t word_of(uint32_t slot)
{
	return slot ? (uint64_t)slot << 1 | 1 : 0;
}

/* @f leaves the cache; where it was is now @word. Never sleeps. */
static void remove(struct mapping *m, struct frame *f, uint64_t word)
{
	radix_replace(&m->pages, f->index, (uint64_t)f, word);
	if (f->flags & FRAME_DIRTY)
		m->unsaved--;
	f->flags &= ~(FRAME_DIRTY | FRAME_UPTODATE);
	f->owner = NULL;
	m->frames--;
	frame_put(f);
}

static struct frame *cached(struct mapping *m, uint64_t index)
{
	return frame_of(radix_get(&m->pages, index));
}

/* Put an empty frame at @index, unless somebody does meanwhile. */
static int add(struct mapping *m, uint64_t index)
{
	uint64_t word = radix_get(&m->pages, index);
	struct frame *f = frame_alloc_raw(FRAME_FILE);
	int error;

	if (!f)
		return -ENOMEM;
	f->index = index;
	f->slot = slot_of(word);
	error = radix_replace(&m->pages, index, word, (uint64_t)f);
	if (error) {
		frame_put(f);
		return error == -EAGAIN ? 0 : error;
	}
	f->owner = m;
	m->frames++;
	return 0;
}

void mapping_wait(struct frame *f)
{
	while (f->flags & FRAME_BUSY)
		sleep_on(f);
}

int mapping_transfer(struct mapping *m, struct frame *f, transfer_fn *fn,
		     bool write)
{
	int error;

	f->flags |= FRAME_BUSY;
	error = fn(m, f, write);
	f->flags &= ~FRAME_BUSY;
	wake(f);
	return error;
}

/* -EAGAIN: @f has left the cache meanwhile. */
static int bring_up_to_date(struct mapping *m, struct frame *f)
{
	int error;

	if (!(f->flags & FRAME_UPTODATE))
		mapping_wait(f);
	if (f->owner != m)
		return -EAGAIN;
	if (f->flags & FRAME_UPTODATE) {
		counts.cache_hits++;
		return 0;
	}
	counts.cache_misses++;
	error = mapping_transfer(m, f, m->ops->transfer, false);
	if (!error)
		f->flags |= FRAME_UPTODATE;
	else
		remove(m, f, word_of(f->slot));
	return error;
}

int mapping_get(struct mapping *m, uint64_t index, struct frame **f)
{
	int error;

	if (broken("page-cache") && (*f = cached(m, index)))
		mapping_evict(*f);
	do {
		while (!(*f = cached(m, index))) {
			error = add(m, index);
			if (error)
				return error;
		}
		frame_get(*f);
		error = bring_up_to_date(m, *f);
		if (error)
			frame_put(*f);
	} while (error == -EAGAIN);
	return error;
}

void mapping_dirty(struct frame *f)
{
	struct mapping *m = f->owner;

	if (!m || f->flags & FRAME_DIRTY)
		return;
	f->flags |= FRAME_DIRTY;
	m->unsaved++;
}

int mapping_write(struct mapping *m, struct frame *f)
{
	if (m->ops->reserve)
		return m->ops->reserve(m, f);
	mapping_dirty(f);
	return f->owner == m ? 0 : -EAGAIN;
}

/* What is written to it from now on makes it dirty again. */
static int store(struct mapping *m, struct frame *f)
{
	int error;

	mapping_wait(f);
	if (f->owner != m || !(f->flags & FRAME_DIRTY))
		return 0;
	f->flags &= ~FRAME_DIRTY;
	rmap_take(f, PTE_W);
	error = mapping_transfer(m, f, m->ops->transfer, true);
	m->unsaved--;
	if (error)
		mapping_dirty(f);
	return error;
}

int mapping_sync(struct mapping *m, uint64_t first, uint64_t end)
{
	uint64_t word;
	int error, result = 0;

	if (m->vmas && broken("mmap-file"))
		return 0;
	for (;
	     m->unsaved && radix_next(&m->pages, &first, &word) && first < end;
	     first++) {
		struct frame *f = frame_of(word);

		if (!f || !(f->flags & (FRAME_DIRTY | FRAME_BUSY)))
			continue;
		frame_get(f);
		error = store(m, f);
		frame_put(f);
		if (error)
			result = error;
	}
	return result;
}

bool mapping_evict(struct frame *f)
{
	if (f->count != 1 || f->maps || f->flags & (FRAME_BUSY | FRAME_DIRTY))
		return false;
	remove(f->owner, f, word_of(f->slot));
	return true;
}

/* The page at @index goes, whatever it is; one in flight may not be there. */
static void discard(struct mapping *m, uint64_t index, uint64_t word)
{
	struct frame *f = frame_of(word);

	if (f && f->flags & FRAME_BUSY) {
		frame_get(f);
		mapping_wait(f);
		frame_put(f);
		return;
	}
	if (f) {
		if (f->maps)
			rmap_unmap(f);
		word = word_of(f->slot);
		remove(m, f, word);
	}
	if (word) {
		radix_replace(&m->pages, index, word, 0);
		swap_put(slot_of(word));
	}
}

void mapping_discard(struct mapping *m, uint64_t first, uint64_t end)
{
	uint64_t word;

	while (radix_next(&m->pages, &first, &word) && first < end)
		discard(m, first, word);
}

uint64_t mapping_drop_all(void)
{
	uint64_t dropped = 0;
	uint32_t n = 0, end;

	while ((end = zone_span(&n)))
		for (; n < end; n++)
			if (frames[n].use == FRAME_FILE && frames[n].owner &&
			    mapping_evict(frames + n))
				dropped++;
	return dropped;
}
