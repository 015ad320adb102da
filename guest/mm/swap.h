/* SPDX-License-Identifier: MIT */
/*
 * What the owners of pages need to know of swap. A slot is counted by the
 * leaves that hold its number (mm/pte.h), as a frame is by those that map it.
 */
#ifndef GUEST_MM_SWAP_H
#define GUEST_MM_SWAP_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/mm/frame.h"

struct vma;

/*
 * *slot, a leaf of page @va of @v, holds a slot: get the page and map it
 * (anon_return). May sleep; *slot may have changed meanwhile, then there is
 * nothing to do. 0, -ENOMEM, -EIO.
 */
int swap_in(struct vma *v, uintptr_t va, uint64_t *slot);

/* One leaf more, or less, holds @slot. */
void swap_get(uint32_t slot);
void swap_put(uint32_t slot);

/*
 * @f, anonymous, is to be written to: it and its slot go separate ways. False
 * if the slot's other holders will want @f: then it must be copied.
 */
bool swap_part(struct frame *f);

/*
 * A page of shared memory: read @f from its slot; store it, in its slot or a
 * new one (then f->slot says which). May sleep. 0, -EIO, -ENOSPC.
 */
int swap_load(struct frame *f);
int swap_store(struct frame *f);

#endif
