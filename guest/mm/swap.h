/* SPDX-License-Identifier: MIT */
/*
 * Swap: a disk, or a partition of one (fs/block.h), for the pages that memory
 * has no room for. Its blocks are the slots; block 0, which says what it is, is
 * none. A slot is counted by the leaves that hold its number (mm/pte.h), as a
 * frame is by those that map it.
 *
 * A frame that was written to a slot, or read from it, is remembered with the
 * slot for as long as both hold the same bytes: that is the swap cache. Who
 * else wants the slot's page finds the frame, so pages that were shared are
 * shared again, and one that leaves a second time need not be written.
 *
 *	frame->slot = slot                  the frame need not be in a table
 *	slot -> frame, count of leaves      free when it has neither
 */
#pragma once

#include "guest/mm/frame.h"

struct mapping;
struct vma;

/*
 * Find a disk to swap to: one whose first block is empty, or carries mkswap's
 * signature. Sleeps.
 */
void swap_init(void);

/*
 * Write @f, anonymous and held by nothing but leaves, unless its slot has it;
 * then unmap it. Who writes to the page meanwhile gets a copy. True if the
 * frame is free now. Sleeps.
 */
bool swap_out(struct frame *f);

/*
 * *slot, a leaf of page @va of @v, holds a slot: get the page and map it,
 * not to be written to. May sleep; *slot may have changed meanwhile, then there is
 * nothing to do. 0, -ENOMEM, -EIO.
 */
int swap_in(struct vma *v, uintptr_t va, uint64_t *slot);

/* One leaf more, or less, holds @slot. */
void swap_get(uint32_t slot);
void swap_put(uint32_t slot);

/* @f, anonymous, is to be written to, or is no more: it leaves its slot. */
void swap_part(struct frame *f);

/*
 * The transfer_fn of shared memory, whose owner holds the slot as a leaf would:
 * @f is stored in its slot, a new one if it has none, or read from there; zeros
 * if it has none. Sleeps. 0, -ENOSPC, -EIO.
 */
int swap_transfer(struct mapping *m, struct frame *f, bool write);
