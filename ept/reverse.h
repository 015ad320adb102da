/* SPDX-License-Identifier: MIT */
/*
 * Walks backwards: which gva of an address space leads to a page? A guest's
 * tables say it only in the other direction, so they are searched; what a
 * search comes by is remembered, a guess for each page, and a guess is only
 * believed when the walk forwards confirms it.
 */
#ifndef EPT_REVERSE_H
#define EPT_REVERSE_H

#include "ept/addr.h"

struct reverse;
struct stage2;

struct reverse_hit {
	gva_t gva; /* of the page; of a table: the lowest that it serves */
	unsigned level; /* of the table that the page holds; 0: it is data */
};

/* For the RAM of @s. NULL: no memory. */
struct reverse *reverse_new(struct stage2 *s);
void reverse_free(struct reverse *r);

/*
 * The lowest gva for which the x86-64 tables at @cr3 lead to page @g; but when
 * @guess, or what is remembered, leads there, that. Half of the address space
 * that is a kernel's comes last. False: none does, or a table cannot be read,
 * or there are more than 4096. Any thread, no lock held; nothing in guest
 * memory moves, and tables that do just then are waited for, as stage2_look()
 * does.
 */
bool reverse_find(struct reverse *r, uint64_t cr3, gfn_t g, gva_t guess,
		  struct reverse_hit *hit);

#endif
