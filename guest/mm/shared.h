/* SPDX-License-Identifier: MIT */
/*
 * Shared memory: a mapping without a file. Its pages begin as zeros, are the
 * same for all who have the area by fork, and end with the last of them.
 */
#ifndef GUEST_MM_SHARED_H
#define GUEST_MM_SHARED_H

#include "guest/mm/mapping.h"

/* Of @pages, which are promised. NULL: no memory. The caller releases it. */
struct mapping *shared_new(uint64_t pages);

#endif
