/* SPDX-License-Identifier: MIT */
/* Entries of both stages' tables, in words. */
#ifndef VMM_PAGE_TEXT_H
#define VMM_PAGE_TEXT_H

#include <stddef.h>

#include "ept/pte.h"

/* The state of a page whose stage-2 entry is of @kind, one word. */
const char *page_state(enum pte_kind kind);

/* An entry of the guest's x86-64 tables at @level: its bits by the names of
 * the SDM (vol. 3A, 4.5.4), and what it points to. */
void guest_entry_text(uint64_t entry, unsigned level, char *to, size_t bytes);

/* What it comes to, in a word or two: where the walk goes on, or ends. */
void guest_entry_answer(uint64_t entry, unsigned level, char *to, size_t bytes);

/* A stage-2 entry at @level; @tier: the tier's name if its page is stored. */
void stage2_entry_text(struct pte e, unsigned level, const char *tier, char *to,
		       size_t bytes);
/* What it comes to: the next table, a frame, or who would serve the fault. */
void stage2_entry_answer(struct pte e, const char *tier, char *to,
			 size_t bytes);

#endif
