/* SPDX-License-Identifier: MIT */
/* What the threads of devices have in common. */
#ifndef DEVICES_THREAD_H
#define DEVICES_THREAD_H

/*
 * The calling thread, called @name from now on (at most 15 bytes), works for a
 * device. A vCPU's thread has started it, and may be bound to one CPU: this one
 * may run wherever the process may.
 */
void device_thread_begin(const char *name);

#endif
