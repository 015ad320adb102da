/* SPDX-License-Identifier: MIT */
/*
 * What the kernel counts, where it happens: SYS_COUNTS hands out the whole.
 */
#ifndef GUEST_LIB_COUNTS_H
#define GUEST_LIB_COUNTS_H

#include "guest/proc/api.h"

extern struct sys_counts counts;

#endif
