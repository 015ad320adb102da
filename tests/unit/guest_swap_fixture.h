/* SPDX-License-Identifier: MIT */
/* The guest's swap on a disk of the host's memory. */
#ifndef TESTS_GUEST_SWAP_FIXTURE_H
#define TESTS_GUEST_SWAP_FIXTURE_H

#define GUEST_SWAPS
#include "guest/fs/block.h"
#include "guest/mm/reclaim.h"
#include "guest/mm/slab.h"
#include "tests/unit/guest_space_fixture.h"

#define BLOCKS 65u /* 64 slots */
#define BASE   MMAP_BASE
#define WORD   2048u

static char disk_page[BLOCKS][PAGE_SIZE];
static int disk_error;
static void (*meanwhile)(void); /* while the disk is busy */

static int transfer(struct block_device *d, uint64_t block, struct frame *f,
		    bool write)
{
	char *page = direct(frame_pa(f));

	(void)d;
	assert_true(f->flags & FRAME_BUSY || !block);
	if (meanwhile)
		meanwhile();
	if (disk_error)
		return disk_error;
	if (write)
		memcpy(disk_page[block], page, PAGE_SIZE);
	else
		memcpy(page, disk_page[block], PAGE_SIZE);
	return 0;
}

static const struct block_ops disk_ops = { .transfer = transfer };
static struct block_device other = { .ops = &disk_ops, .blocks = BLOCKS };
static struct block_device disk = { .ops = &disk_ops, .blocks = BLOCKS };
struct block_device *disks[] = { &other, &disk, NULL };

int block_transfer(struct block_device *d, uint64_t block, struct frame *f,
		   bool write)
{
	if (write)
		assert_ptr_equal(d, &disk);
	return d->ops->transfer(d, block, f, write);
}

void *vmalloc(size_t bytes)
{
	return malloc(bytes);
}

/* A disk with something on it is left alone, an empty one is taken. */
static inline int begin(void **state)
{
	(void)state;
	spaces_begin();
	other.readonly = true;
	disk_page[0][5] = 1;
	swap_init();
	assert_int_equal(counts.slots_total, 0);
	memcpy(disk_page[0] + PAGE_SIZE - 10, "SWAPSPACE2", 10);
	swap_init();
	assert_int_equal(counts.slots_total, BLOCKS - 1);
	return 0;
}

static inline uint64_t *word(struct space *s, uintptr_t va, uint64_t error)
{
	uint64_t *page = access_word(s, va, error);

	return page ? page + WORD / 8 : NULL;
}

static inline struct frame *frame_in(struct space *s, uintptr_t va)
{
	return leaf_frame(*table_walk(s->root, va).at);
}

static inline struct space *space_with(unsigned pages)
{
	struct space *s = space_new();

	assert_int_equal(
		map_anon(s, BASE, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, 0),
		BASE);
	for (unsigned i = 0; i < pages; i++)
		*word(s, BASE + i * PAGE_SIZE, FAULT_W) = 1000 + i;
	return s;
}

/* The frame of that list that was used longest ago; NULL: it is empty. */
static inline struct frame *last(bool active)
{
	uint32_t n = counts.lru[LRU_ANON][active].last;

	return n ? frames + n : NULL;
}

#endif
