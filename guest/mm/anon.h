/* SPDX-License-Identifier: MIT */
/*
 * Memory without a file. A page that was never written is the zero frame,
 * mapped read-only; the first write gives a frame of its own; fork shares it
 * until one side writes (copy-on-write). The same write path serves private
 * pages of files.
 * An anonymous frame knows its address only: fork leaves a page where it was,
 * so that is where other spaces may have the frame, too (mm/rmap.h).
 */
#ifndef GUEST_MM_ANON_H
#define GUEST_MM_ANON_H

#include <stdbool.h>

#include "guest/mm/frame.h"
#include "guest/mm/leaf.h"
#include "guest/mm/space.h"
#include "guest/mm/vma.h"

/* Plain memory; and what grows downwards when it is touched. */
extern const struct vma_ops anon_ops, stack_ops;

/* The frame of zeros: never writable, never counted. */
extern pa_t zero_frame;

/* Make the zero frame, or panic. */
void anon_init(void);

/* vma_ops for all private areas. */
int anon_wppage(struct vma *v, uintptr_t va, uint64_t *at);

/* Map @f, ours alone and in no table yet, where the entry is empty. */
static inline void anon_map(struct vma *v, uintptr_t va, uint64_t *at,
			    struct frame *f)
{
	f->index = va >> PAGE_SHIFT;
	f->maps = 1;
	v->space->resident++;
	*at = frame_pa(f).v | v->bits;
	if (v->flags & VMA_LOCKED)
		leaf_lock(at);
}

/*
 * For swap_in: map @f, with a reference for it, where the leaf holds the slot
 * whose bytes it has. The leaf lets the slot go.
 */
void anon_return(struct vma *v, uintptr_t va, uint64_t *at, struct frame *f);

#endif
