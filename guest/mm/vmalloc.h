/* SPDX-License-Identifier: MIT */
/*
 * Kernel memory that lies together in virtual addresses only: single frames
 * from anywhere, and a page behind each area that is never mapped, so that
 * whoever runs past its end faults.
 *
 *   VMALLOC_BASE   | area     |guard| area           |guard|
 */
#ifndef GUEST_MM_VMALLOC_H
#define GUEST_MM_VMALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/addr.h"

/* At least @bytes, any content; NULL: no memory. The tables stay. */
void *vmalloc(size_t bytes);

/* What vmalloc gave, or NULL. */
void vfree(void *p);

/* Into how many pieces of RAM the area at @p falls. */
uint64_t vmalloc_pieces(const void *p);

/* The physical address behind @p; false where nothing is mapped. */
bool vmalloc_pa(const void *p, pa_t *pa);

/* The guard page of the area at @p. */
const void *vmalloc_guard(const void *p);

#endif
