/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the demonstrations: they show a program the tables,
 * frames and counters that it could not see from ring 3. A real kernel would
 * keep them to itself.
 */
#ifndef GUEST_PROC_INSPECT_H
#define GUEST_PROC_INSPECT_H

#include "guest/boot/machine.h"

/* @m must stay: SYS_INFO speaks of it. */
void inspect_init(const struct machine *m);

#endif
