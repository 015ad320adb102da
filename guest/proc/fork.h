/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PROC_FORK_H
#define GUEST_PROC_FORK_H

#include <stdint.h>

/*
 * A child of the current process, in all its twin but for the pid and what
 * this answers: to the parent the child's pid, or -ENOMEM; to the child 0.
 */
int64_t process_fork(void);

#endif
