/* SPDX-License-Identifier: MIT */
/*
 * Stale translations (SDM vol. 3, 4.10.4). Whoever makes a present entry of a
 * program's tables weaker, or points it elsewhere, says so here; when the call
 * returns no processor uses the old one, and its frame may be reused.
 *
 * A processor that runs the space in ring 3 is interrupted and flushes before
 * it does anything else: a *shoot-down*. With PCIDs (SDM vol. 3, 4.10.1) the
 * translations of a space outlive its turn, so each processor remembers the
 * last few spaces it ran, and forgets one that went stale meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct space;

/* Spaces a processor keeps translations of; tag i has PCID i + 1. */
#define TLB_TAGS 6u

struct tlb {
	struct space *loaded; /* whose tables CR3 names; NULL: the kernel's */
	bool asked; /* by another processor, to flush all */
	unsigned next; /* tag to give away */
	uint64_t tag[TLB_TAGS +
		     1]; /* ids of spaces, 0: none; the last: unused */
};

/* The page at @va of @s, of the kernel's own half if @s is NULL. With the kernel lock, as all but tlb_answer. */
void tlb_flush_page(struct space *s, uintptr_t va);

/* All pages of @s: cheaper than many single ones. */
void tlb_flush_space(struct space *s);

/* This processor uses the tables of @s from now on; NULL: the kernel's. */
void tlb_load(struct space *s);

/* Flush if another processor asked. Without the lock. */
void tlb_answer(void);

/* The processor tags translations (set by cpu_init). */
extern bool tlb_tagged;
