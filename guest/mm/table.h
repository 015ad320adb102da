/* SPDX-License-Identifier: MIT */
/*
 * Page tables (SDM vol. 3, 4.5): levels 4, 3, 2, 1, each indexed by 9 bits.
 *
 *   63    48 47   39 38   30 29   21 20   12 11         0
 *   sign      level4  level3  level2  level1  in the page
 */
#pragma once

#include "guest/cpu/cpu.h"
#include "guest/mm/pte.h"

#define TABLE_TOP     4
#define TABLE_ENTRIES 512u

static inline unsigned level_shift(int level)
{
	return PAGE_SHIFT + 9 * (unsigned)(level - 1);
}

static inline unsigned level_index(uintptr_t va, int level)
{
	return va >> level_shift(level) & (TABLE_ENTRIES - 1);
}

static inline uintptr_t level_bytes(int level)
{
	return 1ul << level_shift(level);
}

/* An entry and the level it is at. */
struct slot {
	uint64_t *at;
	int level;
};

/* The last entry of the walk of @va: a leaf, or not present. */
struct slot table_walk(pa_t root, uintptr_t va);

/*
 * The entry for @va at @level, with the tables above it made as needed. NULL
 * if there is no frame for one, or a leaf in the way.
 */
uint64_t *table_slot(pa_t root, uintptr_t va, int level);

/* Give back the root and all tables that table_slot made below it. */
void table_free(pa_t root);

/*
 * kmap.c: the kernel's half of every address space. Build the tables
 * (mm/layout.h), the lower half empty, and switch to them.
 */
void kmap_init(void);

/* Map the page of device registers at @at, uncached. Panics when out of frames. */
volatile void *mmio_map(pa_t at);

/* The kernel's own root: nothing in the lower half. */
extern pa_t kernel_root;

/* The root of a new address space with the kernel's half in it, in *root. */
bool kmap_new_root(pa_t *root);
