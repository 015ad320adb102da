/* SPDX-License-Identifier: MIT */
/* The system calls about memory: see proc/api.h and call_fn. */
#ifndef GUEST_MM_CALLS_H
#define GUEST_MM_CALLS_H

#include <stdint.h>

#include "guest/cpu/trap.h"

/* Kernel memory: calls.c. */
int64_t sys_zone(const struct trap_frame *f);
int64_t sys_slab(const struct trap_frame *f);
int64_t sys_limit(const struct trap_frame *f);
int64_t sys_object(const struct trap_frame *f);

#endif
