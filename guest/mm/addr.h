/* SPDX-License-Identifier: MIT */
/*
 * Addresses. A physical address is a pa_t and cannot be mistaken for a
 * virtual one, which is a pointer or a uintptr_t. The direct map turns the
 * first into the second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/layout.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define LARGE_SIZE 0x200000ul /* a level-2 leaf */

typedef struct {
	uint64_t v;
} pa_t;

/* Physical memory [start, end). */
struct range {
	pa_t start, end;
};

static inline void *direct(pa_t pa)
{
	return (void *)(DIRECT_BASE + pa.v);
}

/* Only for addresses in the direct map. */
static inline pa_t direct_pa(const void *at)
{
	return (pa_t){ (uintptr_t)at - DIRECT_BASE };
}

static inline uintptr_t page_down(uintptr_t at)
{
	return at & ~(PAGE_SIZE - 1);
}

static inline uintptr_t page_up(uintptr_t at)
{
	return page_down(at + PAGE_SIZE - 1);
}

static inline size_t page_offset(uintptr_t at)
{
	return at & (PAGE_SIZE - 1);
}

/* Only for addresses inside the kernel image. */
static inline pa_t image_pa(const void *at)
{
	return (pa_t){ (uintptr_t)at - KERNEL_BASE };
}

static inline bool range_has(struct range r, pa_t at)
{
	return at.v >= r.start.v && at.v < r.end.v;
}
