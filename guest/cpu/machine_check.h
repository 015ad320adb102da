/* SPDX-License-Identifier: MIT */
#ifndef GUEST_CPU_MACHINE_CHECK_H
#define GUEST_CPU_MACHINE_CHECK_H

#include "guest/cpu/trap.h"

/* Memory has failed under the access at @f: a program that made it ends with
 * EXIT_MEMORY_LOST; in the kernel it is the end of the run. */
void machine_check(struct trap_frame *f);

#endif
