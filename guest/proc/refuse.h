/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PROC_REFUSE_H
#define GUEST_PROC_REFUSE_H

#include "guest/cpu/trap.h"

/*
 * The current process may not do what it did at @f (@va: where, for a page
 * fault): it goes on where SYS_CATCH said, or it is killed.
 */
void process_refuse(struct trap_frame *f, uintptr_t va);

/* Memory has failed under the access at @f: a program that made it ends with
 * EXIT_MEMORY_LOST; in the kernel it is the end of the run. */
void machine_check(struct trap_frame *f);

#endif
