/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PROC_REFUSE_H
#define GUEST_PROC_REFUSE_H

#include <stdint.h>

#include "guest/cpu/trap.h"

/*
 * The current process may not do what it did at @f (@va: where, for a page
 * fault): it goes on where SYS_CATCH said, or it is killed.
 */
void process_refuse(struct trap_frame *f, uintptr_t va);

#endif
