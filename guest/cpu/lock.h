/* SPDX-License-Identifier: MIT */
/*
 * The kernel lock: one processor at a time is in the kernel. It is taken on
 * the way in (cpu/trap.c) and dropped on the way out or where the processor
 * goes idle; a process that sleeps passes it to the next.
 *
 * Whoever comes when it is free has it. To serve in order would be fairer and
 * much slower: a processor of a virtual machine does not always run, and all
 * behind it in the order would wait for it. Who waits answers requests to flush
 * its TLB (cpu/tlb.h), or the one in the kernel would wait for it for ever.
 */
#ifndef GUEST_CPU_LOCK_H
#define GUEST_CPU_LOCK_H

#include "guest/cpu/tlb.h"

extern bool kernel_locked;

static inline void kernel_lock(void)
{
	while (__atomic_exchange_n(&kernel_locked, true, __ATOMIC_ACQUIRE))
		do {
			tlb_answer();
			__asm__ volatile("pause");
		} while (__atomic_load_n(&kernel_locked, __ATOMIC_RELAXED));
}

static inline void kernel_unlock(void)
{
	__atomic_store_n(&kernel_locked, false, __ATOMIC_RELEASE);
}

#endif
