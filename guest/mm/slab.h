/* SPDX-License-Identifier: MIT */
/*
 * Memory for the kernel's own small things (Bonwick 1994): a cache hands out
 * objects of one size, cut from frames. All that a frame of objects needs to
 * remember is in its descriptor, so objects fill the frame:
 *
 *       0                     carved              4096
 *       | object |mark| object |mark| never used  |
 *
 * The mark says that the object is in use, or that it is free, and which is
 * free after it. So who frees a thing twice, or has written past its end, is
 * caught; with "debug" (mm/frame.h) who writes to what is free is, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest/proc/api.h"

#define LARGEST_OBJECT 2040u

extern struct cache caches[CACHES];

/*
 * Memory of any size with any content, aligned to 8 bytes: from the cache of
 * the next power of two, or in whole frames, then at most 4 MiB; kmalloc_dma in
 * whole frames below 16 MiB. NULL: no memory. kfree(NULL) is nothing.
 */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void *kmalloc_dma(size_t bytes);
void kfree(void *p);

/* Do to an object of @bytes, at most LARGEST_OBJECT, what it says. True if the checks caught it. */
bool kmalloc_abuse(size_t bytes, enum object_abuse abuse);

/*
 * At least @bytes, 1 to VMALLOC_BYTES, with any content; NULL: no memory. The
 * tables stay.
 */
void *vmalloc(size_t bytes);

/* What vmalloc gave. */
void vfree(void *p);
