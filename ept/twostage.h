/* SPDX-License-Identifier: MIT */
/*
 * The two-dimensional walk: what the hardware reads to translate one gva when
 * both stages are radix trees. Every stage-1 entry lies at a gpa, which takes
 * a stage-2 walk to find, and so does the page at the end:
 *
 *     4 * (4 + 1) + 4 = 24 references for 4 KiB pages on 4 KiB pages
 *     3 * (3 + 1) + 3 = 15 for 2 MiB on 2 MiB;   2 * 3 + 2 = 8 for 1 GiB
 */
#ifndef EPT_TWOSTAGE_H
#define EPT_TWOSTAGE_H

#include "ept/guest_mem.h"

struct twostage_ref {
	unsigned stage; /* 1: an entry of the guest's, 2: one of ours */
	unsigned level;
	gpa_t gpa; /* stage 1: where it lies; 2: what it maps */
	uint64_t entry;
};

struct twostage {
	bool found; /* stage 1 leads to RAM, and its page is mapped */
	gpa_t gpa; /* what stage 1 says, if it got that far */
	bool has_gpa;
};

/*
 * Walk @at through the x86-64 tables at @cr3 and through stage 2; @visit (may
 * be NULL) sees every reference in order. Guest table pages that are away are
 * brought in if a frame is free, else the walk ends there; the page itself is
 * not brought in. No lock held.
 */
struct twostage twostage_walk(struct stage2 *s, uint64_t cr3, gva_t at,
			      void (*visit)(void *ctx,
					    const struct twostage_ref *r),
			      void *ctx);

/* The same for a gpa: stage 2 alone. Is its page mapped? */
bool twostage_walk_gpa(struct stage2 *s, gpa_t at,
		       void (*visit)(void *ctx, const struct twostage_ref *r),
		       void *ctx);

#endif
