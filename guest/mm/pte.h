/* SPDX-License-Identifier: MIT */
/*
 * The bits of a page-table entry (SDM vol. 3, 4.5, tables 4-15 to 4-20), and
 * the three that the processor leaves to us.
 *
 *   63   62..52  51..12         11      10       9    8 7  6 5 4   3   2 1 0
 *   NX   -       frame address  SWAPPED BORROWED KEPT G PS D A PCD PWT U W P
 *
 * Without P the processor reads nothing else, so an entry can say where the
 * page is instead:
 *
 *   63..44  43..12              11..0
 *   -       slot of swap        SWAPPED
 */
#pragma once

#include <assert.h>

#include "guest/mm/addr.h"

#define PTE_P	(1ul << 0)
#define PTE_W	(1ul << 1)
#define PTE_U	(1ul << 2)
#define PTE_PWT (1ul << 3)
#define PTE_PCD (1ul << 4)
#define PTE_A	(1ul << 5)
#define PTE_D	(1ul << 6)
#define PTE_PS	(1ul << 7)
#define PTE_G	(1ul << 8)
#define PTE_NX	(1ul << 63)

/* Not present (no access allowed now), yet it still names its frame. */
#define PTE_KEPT (1ul << 9)
/* The frame belongs to the kernel image, not to the process. */
#define PTE_BORROWED (1ul << 10)

/* Not present: the page is in this slot of swap. */
#define PTE_SWAPPED (1ul << 11)

#define PTE_FRAME   0x000ffffffffff000ul

static_assert(!((PTE_KEPT | PTE_BORROWED | PTE_SWAPPED) &
		(PTE_FRAME | PTE_NX | 0x1ff)),
	      "our bits are bits the processor ignores");

/* Bits of the page-fault error code (SDM vol. 3, 4.7). */
enum {
	FAULT_P = 1 << 0, /* a right was missing; else the page was */
	FAULT_W = 1 << 1,
	FAULT_U = 1 << 2, /* the access came from ring 3 */
	FAULT_RSVD = 1 << 3,
	FAULT_I = 1 << 4 /* an instruction fetch */
};

/* PTE_NX, PTE_G where the processor has them, else 0: see cpu_init. */
extern uint64_t pte_nx, pte_g;

static inline pa_t pte_pa(uint64_t entry)
{
	return (pa_t){ entry & PTE_FRAME };
}

static inline uint64_t pte_of_slot(uint32_t slot)
{
	return (uint64_t)slot << PAGE_SHIFT | PTE_SWAPPED;
}

static inline bool pte_is_slot(uint64_t entry)
{
	return !(entry & PTE_P) && entry & PTE_SWAPPED;
}

static inline uint32_t pte_slot(uint64_t entry)
{
	return (uint32_t)(entry >> PAGE_SHIFT);
}
