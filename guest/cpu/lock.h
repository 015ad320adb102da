/* SPDX-License-Identifier: MIT */
/*
 * The kernel lock: one processor at a time is in the kernel. It is taken on
 * the way in (cpu/trap.c) and dropped on the way out or where the processor
 * goes idle; a process that sleeps passes it to the next. First come, first
 * served; who waits answers requests to flush its TLB (cpu/tlb.h), or the one
 * in the kernel would wait for it for ever.
 */
#ifndef GUEST_CPU_LOCK_H
#define GUEST_CPU_LOCK_H

#include <stdint.h>

#include "guest/cpu/tlb.h"

extern uint32_t kernel_ticket, kernel_serving;

static inline void kernel_lock(void)
{
	uint32_t mine = __atomic_fetch_add(&kernel_ticket, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&kernel_serving, __ATOMIC_ACQUIRE) != mine) {
		tlb_answer();
		__asm__ volatile("pause");
	}
}

static inline void kernel_unlock(void)
{
	__atomic_store_n(&kernel_serving, kernel_serving + 1, __ATOMIC_RELEASE);
}

#endif
