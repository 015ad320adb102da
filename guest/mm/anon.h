/* SPDX-License-Identifier: MIT */
/*
 * Memory without a file. A page that was never written is the zero frame,
 * mapped read-only; the first write gives a frame of its own; fork shares it
 * until one side writes (copy-on-write). The same write path serves private
 * pages of files.
 * Shared memory is a mapping without a file: its pages begin as zeros, are the
 * same for all who have the area by fork, and end with the last of them.
 *
 * An anonymous frame knows its address only: fork leaves a page where it was,
 * so that is where other spaces may have the frame, too (mm/rmap.c).
 */
#pragma once

#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"

/* Plain memory; and what grows downwards when it is touched. */
extern const struct vma_ops anon_ops, stack_ops;

/* A page of zeros in the kernel image: never writable, never counted. */
extern pa_t zero_frame;

/* vma_ops for all private areas. */
int anon_wppage(struct vma *v, uintptr_t va, uint64_t *at);

/* Map @f, which is in no other table than those with @va, where *@at says. */
static inline void anon_map(struct vma *v, uintptr_t va, uint64_t *at,
			    struct frame *f, uint64_t bits)
{
	f->index = va >> PAGE_SHIFT;
	leaf_map(v, at, f, bits);
}

/*
 * Shared memory of @pages, which are promised. NULL: no memory. The caller
 * releases it.
 */
struct mapping *shared_new(uint64_t pages);
