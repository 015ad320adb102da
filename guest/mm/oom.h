/* SPDX-License-Identifier: MIT */
/*
 * Out of memory. Nothing can be evicted, and somebody must have a frame: the
 * process that has most, in frames and in slots, is killed. Process 1 is the
 * last to go: the run ends with it.
 */
#ifndef GUEST_MM_OOM_H
#define GUEST_MM_OOM_H

#include <stdbool.h>

/*
 * Kill a process, or wait for one that is on its way. False if it is the
 * current one, or there is none. Sleeps.
 */
bool oom_kill(void);

#endif
