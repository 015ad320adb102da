/* SPDX-License-Identifier: MIT */
/*
 * Kernel memory that a program holds (SYS_OBJECT), so that it can
 * exercise the kernel's allocators. It counts as promised memory, so no
 * program can take what another was promised.
 */
#ifndef GUEST_MM_OBJECTS_H
#define GUEST_MM_OBJECTS_H

struct object;

/* The process has ended: free what it holds. */
void objects_free(struct object **list);

#endif
