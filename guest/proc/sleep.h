/* SPDX-License-Identifier: MIT */
/*
 * Waiting. A channel is any address: usually that of what is waited for.
 *
 *	while (!it->done)
 *		sleep_on(it);
 *
 * The kernel lock is given up while asleep, so whatever was true before may
 * have changed; nothing changes between the check and the sleep. A sleeper may
 * wake for nothing: the loop is not optional.
 */
#ifndef GUEST_PROC_SLEEP_H
#define GUEST_PROC_SLEEP_H

#include <stdint.h>

/* From any process, not from an interrupt. */
void sleep_on(const void *channel);

/* The same, awake at the latest when lapic_ticks has reached @tick. */
void sleep_until(const void *channel, uint64_t tick);

/* Wake all who sleep on @channel. From anywhere in the kernel. */
void wake(const void *channel);

#endif
