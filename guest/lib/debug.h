/* SPDX-License-Identifier: MIT */
/*
 * The kernel option "debug": freed memory is filled with a pattern and looked
 * at before it is used again, and what programs of the kernel's own do wrong
 * with memory ends the run with its name.
 */
#ifndef GUEST_LIB_DEBUG_H
#define GUEST_LIB_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool debug_checks;

/* What freed memory holds. As an address it is not canonical. */
#define POISON_BYTE 0x6b

/* All of @from[n] is @byte: one instruction, however long. */
static inline bool all_bytes(const void *from, uint8_t byte, size_t n)
{
	bool same;

	__asm__ volatile("cmp %%rcx, %%rcx; repe scasb"
			 : "=@cce"(same), "+D"(from), "+c"(n)
			 : "a"(byte)
			 : "memory");
	return same;
}

#endif
