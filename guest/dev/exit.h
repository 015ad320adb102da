/* SPDX-License-Identifier: MIT */
/*
 * The end of the run. The statuses a program has not chosen itself; all are
 * at most 123, for the hypervisor keeps what lies above.
 */
#ifndef GUEST_DEV_EXIT_H
#define GUEST_DEV_EXIT_H

#include <stdint.h>

enum {
	EXIT_KILLED = 11, /* the program faulted */
	EXIT_MEMORY_LOST = 119, /* it touched memory that has failed */
	EXIT_PANIC = 121,
	EXIT_MAX = 123
};

/* ABI_EXIT_PORT, if the device tree names no other. */
extern uint16_t exit_port;

_Noreturn void exit_run(int status);

#endif
