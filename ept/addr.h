/* SPDX-License-Identifier: MIT */
/*
 * Addresses that must not be mixed up, each a type of its own: handing a gfn
 * to a function that wants a gpa does not compile. The generated code is that
 * of a plain integer.
 *
 *     gva --stage 1: the guest's tables--> gpa --stage 2: ours--> frame
 *
 * A range is [start, start + count): a start and a count, never a last
 * element, so that the range that ends at the top of the space needs no
 * special case.
 */
#ifndef EPT_ADDR_H
#define EPT_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

/* One radix level of any x86-64 table resolves 9 bits: 512 entries. */
#define LEVEL_BITS    9
#define LEVEL_ENTRIES (1u << LEVEL_BITS)

typedef struct {
	uint64_t v;
} gva_t; /* guest-virtual address, bytes */
typedef struct {
	uint64_t v;
} gpa_t; /* guest-physical address, bytes */
typedef struct {
	uint64_t v;
} gfn_t; /* guest frame number: gpa / 4 KiB */
typedef struct {
	uint64_t v;
} frame_t; /* host frame: page index in the backing memory */
typedef struct {
	uint64_t v;
} slot_t; /* where a page lies in swap */

static inline gfn_t gfn_of(gpa_t a)
{
	return (gfn_t){ a.v >> PAGE_SHIFT };
}

static inline gpa_t gpa_of(gfn_t g)
{
	return (gpa_t){ g.v << PAGE_SHIFT };
}

/* Pages that one entry of a table at @level covers: 1, 512, 512 * 512, ... */
static inline uint64_t level_pages(unsigned level)
{
	return UINT64_C(1) << (LEVEL_BITS * (level - 1));
}

/* Which of its table's 512 entries page @page selects at @level. */
static inline unsigned level_index(uint64_t page, unsigned level)
{
	return (page >> (LEVEL_BITS * (level - 1))) & (LEVEL_ENTRIES - 1);
}

/* Is [@at, @at + @len) inside [0, @size)? No sum that could wrap. */
static inline bool range_within(uint64_t at, uint64_t len, uint64_t size)
{
	return len <= size && at <= size - len;
}

#endif
