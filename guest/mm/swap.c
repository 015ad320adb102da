/* SPDX-License-Identifier: MIT */
/* There is no place to swap to: no leaf holds a slot, and no frame has one. */
#include "guest/mm/swap.h"

#include "guest/lib/errno.h"

int swap_in(struct vma *v, uintptr_t va, uint64_t *slot)
{
	(void)v;
	(void)va;
	(void)slot;
	return -EIO;
}

void swap_get(uint32_t slot)
{
	(void)slot;
}

void swap_put(uint32_t slot)
{
	(void)slot;
}

bool swap_part(struct frame *f)
{
	return !f->slot;
}

int swap_load(struct frame *f)
{
	(void)f;
	return -EIO;
}

int swap_store(struct frame *f)
{
	(void)f;
	return -ENOSPC;
}
