/* SPDX-License-Identifier: MIT */
/* What only ring 0 can try, for the demonstrations: SYS_PROBE of proc/api.h. */
#ifndef GUEST_PROC_PROBE_H
#define GUEST_PROC_PROBE_H

#include "guest/proc/syscall.h"

call_fn sys_probe;

#endif
