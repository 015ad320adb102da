/* SPDX-License-Identifier: MIT */
/* Kernel memory smaller than a frame. */
#ifndef GUEST_MM_SLAB_H
#define GUEST_MM_SLAB_H

#include <stddef.h>

struct cache;

/* Objects of one size. Panics when there are too many caches. */
struct cache *cache_create(const char *name, size_t object_bytes);

/* An object with any content; NULL: no memory. */
void *cache_alloc(struct cache *c);
void cache_free(struct cache *c, void *p);

/* NULL: none left. kzalloc's is zeros. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void kfree(void *p);

#endif
