/* SPDX-License-Identifier: MIT */
/*
 * GDT and TSS. In long mode they do three jobs: name the rings, name the
 * stack on which a trap from ring 3 begins, and the one for double faults.
 */
#ifndef GUEST_CPU_SEGMENT_H
#define GUEST_CPU_SEGMENT_H

#define IST_DOUBLE_FAULT 1

/* Load GDT, TSS and segment registers. Once. */
void segment_init(void);

#endif
