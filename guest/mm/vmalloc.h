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

#include <stddef.h>

#include "guest/mm/addr.h"

/*
 * At least @bytes, 1 to VMALLOC_BYTES, with any content; NULL: no memory. The
 * tables stay.
 */
void *vmalloc(size_t bytes);

/* What vmalloc gave. */
void vfree(void *p);

#endif
