/* SPDX-License-Identifier: MIT */
/* The map of a swap disk's slots, and pages on their way there and back. */
#include "guest/mm/swap.h"

#include "guest/fs/block.h"
#include "guest/lib/base.h"
#include "guest/mm/anon.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/slab.h"
#include "guest/mm/zone.h"

/* mkswap's mark lies at the end of the first page. */
#define SIGNATURE    "SWAPSPACE2"
#define SIGNATURE_AT (PAGE_SIZE - (sizeof(SIGNATURE) - 1))

/* So many times more than memory is enough: the map takes memory, too. */
#define TIMES_MEMORY 4u

/* What is in a slot. The free ones are a list through frame. */
struct place {
	uint32_t frame; /* with the same bytes; 0: none */
	uint32_t count; /* leaves that hold it */
};

static struct block_device *disk;
static struct place *places; /* by slot */
static uint32_t free_places; /* a list */
static uint32_t fresh = 1; /* from here on never used */

static bool is_swap(struct block_device *d, struct frame *f)
{
	const char *page = frame_bytes(f);

	if (d->readonly || d->blocks < 2 || block_transfer(d, 0, f, false))
		return false;
	return all_words(page, 0, PAGE_SIZE / 8) ||
	       !memcmp(page + SIGNATURE_AT, SIGNATURE, sizeof(SIGNATURE) - 1);
}

void swap_init(void)
{
	struct frame *f = frame_alloc_raw(FRAME_KERNEL);
	uint64_t most = zone_frames() * TIMES_MEMORY;
	struct block_device *d = NULL;

	for (unsigned i = 0; f && (d = disks[i]) && !is_swap(d, f); i++)
		;
	if (f)
		frame_put(f);
	if (!d)
		return;
	most = d->blocks < most ? d->blocks : most;
	places = vmalloc(most * sizeof(*places));
	if (!places)
		return;
	disk = d;
	counts.slots_total = most - 1;
}

static struct frame *cached(uint32_t slot)
{
	return places[slot].frame ? frames + places[slot].frame : NULL;
}

static void attach(struct frame *f, uint32_t slot)
{
	places[slot].frame = (uint32_t)(f - frames);
	f->slot = slot;
}

/* A free slot, or 0. */
static uint32_t take_slot(void)
{
	uint32_t slot = free_places;

	if (slot)
		free_places = places[slot].frame;
	else if (fresh <= counts.slots_total)
		slot = fresh++;
	else
		return 0;
	places[slot] = (struct place){ 0, 0 };
	counts.slots_used++;
	return slot;
}

/* @slot is free once nothing has it any more. */
static void check_slot(uint32_t slot)
{
	if (places[slot].count || places[slot].frame)
		return;
	places[slot].frame = free_places;
	free_places = slot;
	counts.slots_used--;
}

void swap_part(struct frame *f)
{
	places[f->slot].frame = 0;
	check_slot(f->slot);
	f->slot = 0;
}

void swap_get(uint32_t slot)
{
	places[slot].count++;
}

void swap_put(uint32_t slot)
{
	places[slot].count--;
	check_slot(slot);
}

int swap_transfer(struct mapping *m, struct frame *f, bool write)
{
	(void)m;
	if (!f->slot && !write) {
		memset(frame_bytes(f), 0, PAGE_SIZE);
		return 0;
	}
	if (!f->slot) {
		f->slot = take_slot();
		if (!f->slot)
			return -ENOSPC;
		swap_get(f->slot);
	}
	if (write)
		counts.swap_writes++;
	else
		counts.swap_reads++;
	if (write && broken("swap"))
		return 0;
	return block_transfer(disk, f->slot, f, write);
}

/* False: there is no slot, or the disk refuses it; then it has none. */
static bool save(struct frame *f)
{
	uint32_t slot = take_slot();

	if (!slot)
		return false;
	attach(f, slot);
	rmap_take(f, PTE_W);
	if (!mapping_transfer(NULL, f, swap_transfer, true)) {
		f->flags |= FRAME_UPTODATE;
		return true;
	}
	print("kernel: swap: slot %u cannot be written\n", slot);
	swap_part(f);
	return false;
}

bool swap_out(struct frame *f)
{
	bool last;

	frame_get(f);
	if ((f->slot || save(f)) && f->count == f->maps + 1 &&
	    !(f->flags & FRAME_LOCKED))
		rmap_unmap(f);
	last = f->count == 1;
	frame_put(f);
	return last;
}

/* Read the page of @slot into @f, which nobody knows yet. */
static int fetch(struct frame *f, uint32_t slot)
{
	int error;

	attach(f, slot);
	leaf_others--; /* it has no leaf, and is not lost */
	error = mapping_transfer(NULL, f, swap_transfer, false);
	leaf_others++;
	if (error) {
		swap_part(f);
	} else {
		f->flags |= FRAME_UPTODATE;
		lru_add(f, false);
	}
	return error;
}

/* Another may be reading it already, or may have begun while we slept. */
int swap_in(struct vma *v, uintptr_t va, uint64_t *at)
{
	uint64_t leaf = *at;
	uint32_t slot = pte_slot(leaf);
	struct frame *f = cached(slot);
	int error = 0;

	if (f) {
		frame_get(f);
		if (!(f->flags & FRAME_UPTODATE))
			mapping_wait(f);
		if (!(f->flags & FRAME_UPTODATE))
			error = -EIO;
	} else {
		f = frame_alloc_raw(FRAME_ANON);
		if (!f)
			return -ENOMEM;
		if (*at == leaf && !cached(slot))
			error = fetch(f, slot);
	}
	if (error || *at != leaf || f->slot != slot) {
		frame_put(f);
		return error;
	}
	leaf_others += f->maps > 0;
	anon_map(v, va, at, f, v->bits & ~PTE_W);
	v->space->swapped--;
	swap_put(slot);
	return 0;
}
