/* SPDX-License-Identifier: MIT */
/* The areas of a range [at, end) of a space, as its system calls want them. */
#ifndef GUEST_MM_AREAS_H
#define GUEST_MM_AREAS_H

#include "guest/mm/space.h"

/* @at is a page, and it and @bytes behind it are user space. */
bool areas_valid(uintptr_t at, size_t bytes);

/* Is all of it mapped? */
bool areas_whole(struct space *s, uintptr_t at, uintptr_t end);

/* Split, so that areas begin and end at its ends. False: no memory. */
bool areas_cut(struct space *s, uintptr_t at, uintptr_t end);

/* The lowest area that has a part in it, or NULL. */
struct vma *areas_next(struct space *s, uintptr_t at, uintptr_t end);

/* Merge what can be, inside and at its ends. */
void areas_merge(struct space *s, uintptr_t at, uintptr_t end);

/*
 * Each page of @v is there, and its own if it may be written: no access will
 * fault. May sleep. 0 or -ENOMEM.
 */
int areas_fill(struct vma *v);

#endif
