/* SPDX-License-Identifier: MIT */
/*
 * Memory for the kernel's own small things (Bonwick 1994): a cache hands out
 * objects of one size, cut from frames. All that a frame of objects needs to
 * remember is in its descriptor, so objects fill the frame:
 *
 *       0            stride                 carved              4096
 *       | object     | object     | ...       | never used        |
 *
 * Objects given back are a list through the objects themselves. With checks
 * (lib/debug.h) an object is followed by a red zone, and the link is behind:
 *
 *       | object | red zone: in use or free | link |
 */
#ifndef GUEST_MM_SLAB_H
#define GUEST_MM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/proc/api.h"

struct cache;

/* What comes of @checked: see above. Panics when there are too many caches. */
struct cache *cache_create_checked(const char *name, size_t object_bytes,
				   bool checked);

/* Objects of @object_bytes, at most LARGEST_OBJECT; checked with "debug". */
struct cache *cache_create(const char *name, size_t object_bytes);

/* An object with any content, aligned to 8 bytes; NULL: no memory. */
void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *p);

/* Why @p must not be freed, in words; NULL if it may be. */
const char *cache_fault(const void *p);

/* @p, freed, of a checked cache, was written to since. */
bool cache_spoiled(const void *p);

size_t cache_bytes(const struct cache *c);

#define LARGEST_OBJECT 2048u

/* Cache @index for SYS_SLAB; false behind the last. */
bool cache_describe(unsigned index, struct sys_slab *to);

/*
 * Memory of any size (kmalloc.c): from the cache of the next power of two, or
 * in whole frames, then at most 4 MiB. NULL: no memory. kfree(NULL) is nothing.
 */
void kmalloc_init(void);
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void kfree(void *p);

/* Do to an object of @bytes what it says. True if the checks caught it. */
bool kmalloc_abuse(size_t bytes, enum object_abuse abuse);

#endif
