/* SPDX-License-Identifier: MIT */
/*
 * Page faults: memory that was promised is given here. Every fault is counted
 * by kind, and recorded when the hypervisor wants records.
 */
#ifndef GUEST_MM_FAULT_H
#define GUEST_MM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/abi.h"
#include "guest/cpu/trap.h"
#include "guest/mm/space.h"

/* Give the page, or let the process hear that there is none. For trap.S. */
void page_fault(struct trap_frame *f);

/*
 * Make the page at @va such that an access with error code @error (mm/pte.h;
 * FAULT_U, with FAULT_W or FAULT_I) can be tried again. Counts nothing: only
 * the processor's faults are faults. May sleep. 0, -EFAULT, -ENOMEM, -EIO.
 */
int fault_resolve(struct space *s, uintptr_t va, uint64_t error);

/* What an error code says, in words. */
const char *fault_reason(uint64_t error);

#endif
