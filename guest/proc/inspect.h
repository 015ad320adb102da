/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the demonstrations: they show a program the tables,
 * frames and counters that it could not see from ring 3. A real kernel would
 * keep them to itself.
 */
#ifndef GUEST_PROC_INSPECT_H
#define GUEST_PROC_INSPECT_H

#include <stdint.h>

#include "guest/boot/machine.h"
#include "guest/cpu/trap.h"

/* @m must stay: SYS_INFO speaks of it. */
void inspect_init(const struct machine *m);

int64_t inspect_info(const struct trap_frame *f);
int64_t inspect_counts(const struct trap_frame *f);
int64_t inspect_pte_clear(const struct trap_frame *f);
int64_t inspect_frame(const struct trap_frame *f);
int64_t inspect_process(const struct trap_frame *f);
int64_t inspect_report(const struct trap_frame *f);
int64_t inspect_lab(const struct trap_frame *f);

#endif
