/* SPDX-License-Identifier: MIT */
/*
 * A radix tree: from an index of 64 bits to a word. As in page tables a node
 * has one slot for each value of a few bits of the index, and what is not
 * there costs nothing; unlike them the tree is only as high as its highest
 * index needs: without any level it is the word of index 0 itself.
 *
 *	levels 2:  top -> node,  11..6 of index -> node,  5..0 -> word
 *
 * A word of 0 is the same as none.
 */
#include "guest/mm/mapping.h"

#include "guest/lib/string.h"
#include "guest/lib/errno.h"
#include "guest/mm/slab.h"

#define BITS  6u
#define SLOTS (1u << BITS)

static bool reaches(unsigned levels, uint64_t index)
{
	return levels * BITS >= 64 || !(index >> levels * BITS);
}

/* The slot for @index in the node that @slot, of the level above, holds. */
static uint64_t *below(const uint64_t *slot, unsigned level, uint64_t index)
{
	return (uint64_t *)*slot + (index >> BITS * (level - 1)) % SLOTS;
}

/* Where the word for @index is kept; NULL: nowhere yet. */
static uint64_t *find(struct radix *r, uint64_t index)
{
	uint64_t *at = &r->top;

	if (!reaches(r->levels, index))
		return NULL;
	for (unsigned level = r->levels; level; level--) {
		if (!*at)
			return NULL;
		at = below(at, level, index);
	}
	return at;
}

uint64_t radix_get(struct radix *r, uint64_t index)
{
	const uint64_t *at = find(r, index);

	return at ? *at : 0;
}

/* The next node on the way to @index is @node, all zeros. */
static void extend(struct radix *r, uint64_t index, uint64_t *node)
{
	uint64_t *at = &r->top;
	unsigned level;

	while (!r->top && !reaches(r->levels, index))
		r->levels++;
	if (!reaches(r->levels, index)) {
		node[0] = r->top;
		r->top = (uint64_t)node;
		r->levels++;
		return;
	}
	for (level = r->levels; level && *at; level--)
		at = below(at, level, index);
	if (level)
		*at = (uint64_t)node;
	else
		kfree(node);
}

/* Free the nodes on the way to @index, @at and below, that are empty. */
static void prune(uint64_t *at, unsigned level, uint64_t index)
{
	uint64_t *node = (uint64_t *)*at;

	if (!level || !node)
		return;
	prune(below(at, level, index), level - 1, index);
	if (all_words(node, 0, SLOTS)) {
		*at = 0;
		kfree(node);
	}
}

/* Getting a node may sleep, and the tree be another afterwards. */
int radix_replace(struct radix *r, uint64_t index, uint64_t from, uint64_t to)
{
	uint64_t *at, *node;
	int error = 0;

	if (radix_get(r, index) != from)
		return -EAGAIN;
	while (!(at = find(r, index)) &&
	       (node = kzalloc(SLOTS * sizeof(*node))))
		extend(r, index, node);
	if (!at)
		error = -ENOMEM;
	else if (*at != from)
		error = -EAGAIN;
	else
		*at = to;
	if (!at || !*at)
		prune(&r->top, r->levels, index);
	if (!r->top)
		r->levels = 0;
	return error;
}

bool radix_next(const struct radix *r, uint64_t *index, uint64_t *word)
{
	while (reaches(r->levels, *index)) {
		const uint64_t *at = &r->top;
		unsigned level;

		for (level = r->levels; level && *at; level--)
			at = below(at, level, *index);
		*word = *at;
		if (*word)
			return true;
		*index = ((*index >> BITS * level) + 1) << BITS * level;
		if (!*index)
			break;
	}
	return false;
}
