/* SPDX-License-Identifier: MIT */
/*
 * A radix tree: from an index of 64 bits to a word. As in page tables a node
 * has one slot for each value of a few bits of the index, and what is not
 * there costs nothing; unlike them the tree is only as high as its highest
 * index needs.
 *
 *	levels 2:  index  11..6 -> node,  5..0 -> word
 *
 * A word of 0 is the same as none.
 */
#ifndef GUEST_MM_RADIX_H
#define GUEST_MM_RADIX_H

#include <stdbool.h>
#include <stdint.h>

struct radix_node;

struct radix {
	struct radix_node *root;
	unsigned levels;
};

uint64_t radix_get(struct radix *r, uint64_t index);

/*
 * Store @to where @from is. 0, -EAGAIN (something else is there), -ENOMEM.
 * Sleeps only, and fails for memory only, where nothing was: @from is 0.
 */
int radix_replace(struct radix *r, uint64_t index, uint64_t from, uint64_t to);

/* The first word at *index or behind; *index says where. False: none. */
bool radix_next(const struct radix *r, uint64_t *index, uint64_t *word);

#endif
