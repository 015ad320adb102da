/* SPDX-License-Identifier: MIT */
#include "guest/mm/swap.h"

#include "guest/fs/block.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/debug.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/anon.h"
#include "guest/mm/lru.h"
#include "guest/mm/pte.h"
#include "guest/mm/rmap.h"
#include "guest/mm/vmalloc.h"
#include "guest/proc/sleep.h"

/* mkswap's mark lies at the end of the first page. */
#define SIGNATURE    "SWAPSPACE2"
#define SIGNATURE_AT (PAGE_SIZE - (sizeof(SIGNATURE) - 1))

/* So many times more than memory is enough: the map takes memory, too. */
#define TIMES_MEMORY 4u

/* A slot. The free ones are a list through frame. */
struct place {
	uint32_t frame; /* with the same bytes; 0: none */
	uint32_t count; /* leaves that hold it */
};

static struct block_device *disk;
static struct place *places; /* by slot; [0] is none */
static uint32_t free_places; /* a list */
static uint32_t fresh = 1; /* from here on never used */

static bool is_swap(struct block_device *d, struct frame *f)
{
	const char *page = direct(frame_pa(f));

	if (d->readonly || d->blocks < 2 || block_read(d, 0, f))
		return false;
	return all_words(page, 0, PAGE_SIZE / 8) ||
	       !memcmp(page + SIGNATURE_AT, SIGNATURE, sizeof(SIGNATURE) - 1);
}

static struct block_device *find_disk(void)
{
	struct frame *f = frame_alloc_raw(FRAME_KERNEL);
	struct block_device *d = NULL;

	for (unsigned i = 0; f && (d = block_at(i)) && !is_swap(d, f); i++)
		;
	if (f)
		frame_put(f);
	return d;
}

void swap_init(void)
{
	struct block_device *d = find_disk();
	uint64_t most = frame_counts().total * TIMES_MEMORY;
	uint64_t slots;

	if (!d)
		return;
	slots = (d->blocks < most ? d->blocks : most) - 1;
	places = vmalloc((slots + 1) * sizeof(*places));
	if (!places)
		return;
	disk = d;
	counts.slots_total = slots;
	frame_promise_slots(slots);
}

static struct frame *cached(uint32_t slot)
{
	return places[slot].frame ? frames + places[slot].frame : NULL;
}

static void attach(struct frame *f, uint32_t slot)
{
	places[slot].frame = (uint32_t)(f - frames);
	f->slot = slot + 1;
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

/* Nothing has @slot any more. */
static void give_slot(uint32_t slot)
{
	places[slot].frame = free_places;
	free_places = slot;
	counts.slots_used--;
}

bool swap_part(struct frame *f)
{
	uint32_t slot = f->slot - 1;

	f->slot = 0;
	places[slot].frame = 0;
	if (!places[slot].count)
		give_slot(slot);
	return true;
}

void swap_get(uint32_t slot)
{
	places[slot].count++;
}

/* A frame that could not be written is kept by its slot: see swap_out. */
void swap_put(uint32_t slot)
{
	struct frame *f;

	if (--places[slot].count)
		return;
	f = cached(slot);
	if (!f) {
		give_slot(slot);
	} else if (f->flags & FRAME_ERROR) {
		swap_part(f);
		frame_put(f);
	}
}

static int write(struct frame *f)
{
	counts.swap_writes++;
	return broken("swap") ? 0 : block_write(disk, f->slot - 1, f);
}

static int read(struct frame *f)
{
	counts.swap_reads++;
	return block_read(disk, f->slot - 1, f);
}

/* Whoever wants the frame while it is written maps it again, read-only. */
static int write_out(struct frame *f)
{
	int error;

	f->flags |= FRAME_BUSY;
	error = write(f);
	f->flags &= (uint16_t)~FRAME_BUSY;
	wake(f);
	return error;
}

bool swap_out(struct frame *f)
{
	bool clean = f->slot, last;
	uint32_t slot = clean ? 0 : take_slot();

	if (!clean && !slot)
		return false;
	if (!clean)
		attach(f, slot);
	frame_get(f);
	f->flags |= FRAME_UPTODATE;
	rmap_unmap(f);
	if (!clean && write_out(f)) {
		print("kernel: swap: slot %u cannot be written\n", slot);
		if (!places[f->slot - 1].count)
			frame_put(f); /* and nobody wants it any more */
		else
			f->flags |= FRAME_ERROR;
		return false;
	}
	last = f->count == 1;
	frame_put(f);
	return last;
}

/* Read the page of @slot into @f, which nobody knows yet. */
static int fetch(struct frame *f, uint32_t slot)
{
	int error;

	attach(f, slot);
	f->flags |= FRAME_BUSY;
	error = read(f);
	f->flags &= (uint16_t)~FRAME_BUSY;
	if (error) {
		swap_part(f);
	} else {
		f->flags |= FRAME_UPTODATE;
		lru_add(f);
	}
	wake(f);
	return error;
}

/* Another reads @f. */
static int await(struct frame *f)
{
	while (!(f->flags & FRAME_UPTODATE) && f->flags & FRAME_BUSY)
		sleep_on(f);
	return f->flags & FRAME_UPTODATE ? 0 : -EIO;
}

int swap_in(struct vma *v, uintptr_t va, uint64_t *at)
{
	uint64_t leaf = *at;
	uint32_t slot = pte_slot(leaf);
	struct frame *f = cached(slot);
	int error;

	if (f) {
		frame_get(f);
		error = await(f);
	} else {
		f = frame_alloc_raw(FRAME_ANON);
		if (!f)
			return -ENOMEM;
		error = *at == leaf && !cached(slot) ? fetch(f, slot) : -EAGAIN;
	}
	if (!error && *at == leaf) {
		anon_return(v, va, at, f);
		return 0;
	}
	frame_put(f);
	return error == -EAGAIN ? 0 : error;
}

int swap_store(struct frame *f)
{
	if (!f->slot) {
		uint32_t slot = take_slot();

		if (!slot)
			return -ENOSPC;
		swap_get(slot);
		f->slot = slot + 1;
	}
	return write(f);
}

int swap_load(struct frame *f)
{
	return read(f);
}
