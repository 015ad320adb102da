/* SPDX-License-Identifier: MIT */
#include "guest/mm/radix.h"

#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"

#define BITS  6u
#define SLOTS (1u << BITS)

struct radix_node {
	uint64_t slot[SLOTS]; /* on level 1 words, above nodes */
	unsigned used;
};

static struct cache *nodes;

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

static bool covers(const struct radix *r, uint64_t index)
{
	return r->root && reaches(r->levels, index);
}

uint64_t radix_get(const struct radix *r, uint64_t index)
{
	const struct radix_node *n = r->root;

	if (!covers(r, index))
		return 0;
	for (unsigned level = r->levels; n && level > 1; level--)
		n = node_in(n->slot[digit(index, level)]);
	return n ? n->slot[digit(index, 1)] : 0;
}

static struct radix_node *take(struct radix_node **spare)
{
	struct radix_node *n = *spare;

	*spare = NULL;
	return n;
}

/* The level-1 node for @index. NULL: one node more than *spare is needed. */
static struct radix_node *reach(struct radix *r, uint64_t index,
				struct radix_node **spare)
{
	struct radix_node *n;

	while (!covers(r, index)) {
		if (!(n = take(spare)))
			return NULL;
		n->slot[0] = (uint64_t)r->root;
		n->used = r->root ? 1 : 0;
		do {
			r->levels++;
		} while (!r->root && !reaches(r->levels, index));
		r->root = n;
	}
	n = r->root;
	for (unsigned level = r->levels; level > 1; level--) {
		uint64_t *slot = &n->slot[digit(index, level)];

		if (!*slot) {
			if (!(*slot = (uint64_t)take(spare)))
				return NULL;
			n->used++;
		}
		n = node_in(*slot);
	}
	return n;
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
	cache_free(nodes, n);
	return true;
}

static void prune_root(struct radix *r, uint64_t index)
{
	if (covers(r, index) && prune(r->root, r->levels, index))
		*r = (struct radix){ 0 };
}

static struct radix_node *new_node(void)
{
	struct radix_node *n;

	if (!nodes)
		nodes = cache_create("radix node", sizeof(*n));
	n = cache_alloc(nodes);
	return n ? memset(n, 0, sizeof(*n)) : NULL;
}

/* Getting a node may sleep, and the tree be another afterwards. */
static int grow(struct radix *r, uint64_t index, struct radix_node **leaf)
{
	struct radix_node *spare = NULL;

	while (!(*leaf = reach(r, index, &spare))) {
		spare = new_node();
		if (!spare) {
			prune_root(r, index);
			return -ENOMEM;
		}
	}
	if (spare)
		cache_free(nodes, spare);
	return 0;
}

int radix_replace(struct radix *r, uint64_t index, uint64_t from, uint64_t to)
{
	struct radix_node *leaf;
	uint64_t *slot;
	int error;

	if (from && radix_get(r, index) != from)
		return -EAGAIN;
	error = grow(r, index, &leaf);
	if (error)
		return error;
	slot = &leaf->slot[digit(index, 1)];
	if (*slot != from)
		return -EAGAIN;
	*slot = to;
	leaf->used += (to ? 1u : 0u) - (from ? 1u : 0u);
	if (!leaf->used)
		prune_root(r, index);
	return 0;
}

bool radix_next(const struct radix *r, uint64_t *index, uint64_t *word)
{
	while (covers(r, *index)) {
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
