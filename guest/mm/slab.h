/* SPDX-License-Identifier: MIT */
/* Kernel memory smaller than a frame. */
#ifndef GUEST_MM_SLAB_H
#define GUEST_MM_SLAB_H

#include <stddef.h>

/* NULL: none left. kzalloc's is zeros. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void kfree(void *p);

#endif
