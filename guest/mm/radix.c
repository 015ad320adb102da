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
#include "guest/mm/mapping.h"

#include "guest/lib/errno.h"
#include "guest/mm/slab.h"

#define BITS  6u
#define SLOTS (1u << BITS)

struct radix_node {
	uint64_t slot[SLOTS]; /* on level 1 words, above nodes */
	unsigned used;
};

static struct radix_node *node_in(uint64_t slot)
{
	return (struct radix_node *)slot;
}

static unsigned digit(uint64_t index, unsigned level)
{
	return index >> BITS * (level - 1) & (SLOTS - 1);
}

static bool reaches(unsigned levels, uint64_t index)
{
	return levels * BITS >= 64 || !(index >> levels * BITS);
}

static struct radix_node *take(struct radix_node **spare)
{
	struct radix_node *n = spare ? *spare : NULL;

	if (n)
		*spare = NULL;
	return n;
}

/*
 * Where the word for @index is kept. NULL: nowhere, unless there is a node more
 * in *@spare; what was made of the way until then stays.
 */
static uint64_t *find(struct radix *r, uint64_t index,
		      struct radix_node **spare)
{
	struct radix_node *n = r->root, *top;

	while (!n || !reaches(r->levels, index)) {
		if (!(top = take(spare)))
			return NULL;
		top->slot[0] = (uint64_t)n;
		top->used = n ? 1 : 0;
		do {
			r->levels++;
		} while (!n && !reaches(r->levels, index));
		r->root = n = top;
	}
	for (unsigned level = r->levels; level > 1; level--) {
		uint64_t *slot = &n->slot[digit(index, level)];

		if (!*slot) {
			if (!(*slot = (uint64_t)take(spare)))
				return NULL;
			n->used++;
		}
		n = node_in(*slot);
	}
	return &n->slot[digit(index, 1)];
}

uint64_t radix_get(struct radix *r, uint64_t index)
{
	uint64_t *slot = find(r, index, NULL);

	return slot ? *slot : 0;
}

/* Free @n and the nodes below it on the way to @index, if they are empty. */
static bool prune(struct radix_node *n, unsigned level, uint64_t index)
{
	uint64_t *slot = &n->slot[digit(index, level)];

	if (level > 1 && *slot && prune(node_in(*slot), level - 1, index)) {
		*slot = 0;
		n->used--;
	}
	if (n->used)
		return false;
	kfree(n);
	return true;
}

static void prune_root(struct radix *r, uint64_t index)
{
	if (r->root && reaches(r->levels, index) &&
	    prune(r->root, r->levels, index))
		*r = (struct radix){ 0 };
}

/* Getting a node may sleep, and the tree be another afterwards. */
int radix_replace(struct radix *r, uint64_t index, uint64_t from, uint64_t to)
{
	struct radix_node *spare = NULL, *leaf;
	uint64_t *slot;

	if (radix_get(r, index) != from)
		return -EAGAIN;
	while (!(slot = find(r, index, &spare))) {
		spare = kzalloc(sizeof(*spare));
		if (!spare) {
			prune_root(r, index);
			return -ENOMEM;
		}
	}
	kfree(spare);
	if (*slot != from)
		return -EAGAIN;
	*slot = to;
	leaf = (struct radix_node *)(slot - digit(index, 1));
	leaf->used += (to ? 1u : 0u) - (from ? 1u : 0u);
	if (!leaf->used)
		prune_root(r, index);
	return 0;
}

bool radix_next(const struct radix *r, uint64_t *index, uint64_t *word)
{
	while (r->root && reaches(r->levels, *index)) {
		const struct radix_node *n = r->root;
		unsigned level = r->levels;
		uint64_t slot;

		while ((slot = n->slot[digit(*index, level)]) && level > 1) {
			n = node_in(slot);
			level--;
		}
		if (slot) {
			*word = slot;
			return true;
		}
		*index = ((*index >> BITS * (level - 1)) + 1)
			 << BITS * (level - 1);
		if (!*index)
			break;
	}
	return false;
}
