/* SPDX-License-Identifier: MIT */
/*
 * What the guest's memory and files want of the rest of the kernel, which there
 * is none of on the host. A test that comes as far as calling one has its own.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guest/lib/counts.h"
#include "guest/lib/string.h"

bool streq(const char *a, const char *b)
{
	return !strcmp(a, b);
}

#define LACKS(name)                            \
	__attribute__((weak)) void name(void); \
	void name(void)                        \
	{                                      \
		abort();                       \
	}

LACKS(format)
LACKS(gate_page_pa)
LACKS(lab_record)
LACKS(print)
LACKS(process_exit)
LACKS(process_kernel)
LACKS(process_kill)
LACKS(process_refuse)
LACKS(read_cr3)
LACKS(sched_breathe)
LACKS(sleep_on)
LACKS(sleep_until)
LACKS(swap_put)
LACKS(tlb_flush_page)
LACKS(tlb_flush_space)
LACKS(uart_write)
LACKS(wake)
LACKS(write_cr3)

extern const char kernel_start[1], text_end[1], rodata_end[1], kernel_end[1];
extern const char rom_start[1], rom_end[1];
extern uint64_t pte_g, pte_nx, lapic_ticks;
extern uint64_t lab_shared[4096];
extern struct process *processes;

__attribute__((weak)) const char kernel_start[1], text_end[1], rodata_end[1],
	kernel_end[1], rom_start[1], rom_end[1];
__attribute__((weak)) uint64_t pte_g, pte_nx, lapic_ticks;
__attribute__((weak)) uint64_t lab_shared[4096]; /* larger than needed */
__attribute__((weak)) struct sys_counts counts;
__attribute__((weak)) struct process *processes;
