/* SPDX-License-Identifier: MIT */
/*
 * From a page of a file to a block of the disk. The inode names the first 12
 * blocks; then a block of 1024 numbers; then a block of 1024 such blocks; then
 * one of those:
 *
 *	slot 0..11 --------------------------------> data
 *	slot 12 ------------------------> numbers -> data
 *	slot 13 -----------> numbers ---> numbers -> data
 *	slot 14 -> numbers -> numbers --> numbers -> data
 */
#include "guest/fs/ext2_node.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"

#define POINTER_BITS 10u
#define SECTORS	     (PAGE_SIZE / 512) /* a block counts as so many */
#define LEVELS	     4u

static_assert(EXT2_POINTERS == 1u << POINTER_BITS, "");

/* Pages that one number at @level leads to; at level 0 it is the page's. */
static uint64_t span(unsigned level)
{
	return 1ul << POINTER_BITS * level;
}

/* Which slot leads to *index, at which level; *index is then within it. */
static bool find_slot(uint64_t *index, unsigned *slot, unsigned *level)
{
	if (*index < EXT2_DIRECT) {
		*slot = (unsigned)*index;
		*index = 0;
		*level = 0;
		return true;
	}
	*index -= EXT2_DIRECT;
	for (*level = 1; *level < LEVELS; ++*level) {
		*slot = EXT2_DIRECT + *level - 1;
		if (*index < span(*level))
			return true;
		*index -= span(*level);
	}
	return false;
}

static uint32_t *pointer(struct frame *f, uint64_t index, unsigned level)
{
	uint32_t *at = ext2_bytes(f);

	return at + (index >> POINTER_BITS * level) % EXT2_POINTERS;
}

/* *slot gets a block: of numbers, at @level above 0, all holes. */
static int fill_slot(struct ext2_node *n, uint32_t *slot, uint32_t near,
		     unsigned level)
{
	struct ext2 *e = ext2_of(&n->inode);
	struct frame *f;
	uint32_t block;
	int error = ext2_block_alloc(e, near, &block);

	if (error)
		return error;
	if (level) {
		error = ext2_block(e, block, &f);
		if (error) {
			ext2_block_free(e, block);
			return error;
		}
		memset(ext2_bytes(f), 0, PAGE_SIZE);
		mapping_dirty(f);
		frame_put(f);
	}
	*slot = block;
	n->inode.blocks += SECTORS;
	return 0;
}

/* Where to look for a block: behind what the file got last, or its inode. */
static uint32_t near_of(struct ext2_node *n)
{
	struct ext2 *e = ext2_of(&n->inode);
	uint32_t group = (n->inode.number - 1) / e->group_inodes;

	return n->last ? n->last + 1 : group * e->group_blocks;
}

/*
 * Walk down to page @index. Each step reads a number out of the inode or out
 * of a block that is held; @make fills in what is missing on the way.
 */
static int walk(struct ext2_node *n, uint64_t index, bool make, uint32_t *block)
{
	struct ext2 *e = ext2_of(&n->inode);
	struct frame *f = NULL, *next;
	unsigned slot, level;
	uint32_t *at;
	int error = 0;

	if (!find_slot(&index, &slot, &level))
		return -EFBIG;
	at = &n->disk.slot[slot];
	for (;; level--) {
		if (!*at && make) {
			error = fill_slot(n, at, near_of(n), level);
			if (!error && f)
				mapping_dirty(f);
			n->last = *at;
		}
		if (error || !*at || !level)
			break;
		error = ext2_block(e, *at, &next);
		if (error)
			break;
		if (f)
			frame_put(f);
		f = next;
		at = pointer(f, index, level - 1);
	}
	*block = *at;
	if (f)
		frame_put(f);
	if (!error && *block >= e->blocks)
		error = ext2_nonsense(e, "block", *block);
	return error;
}

int ext2_map(struct ext2_node *n, uint64_t index, uint32_t *block)
{
	return walk(n, index, false, block);
}

int ext2_map_make(struct ext2_node *n, uint64_t index, uint32_t *block)
{
	return walk(n, index, true, block);
}

static int cut(struct ext2_node *n, uint32_t *slot, unsigned level,
	       uint64_t from);

/* The same for what the block of numbers @block at @level leads to. */
static int cut_numbers(struct ext2_node *n, uint32_t block, unsigned level,
		       uint64_t from)
{
	uint64_t each = span(level - 1);
	struct frame *f;
	int error = ext2_block(ext2_of(&n->inode), block, &f);

	if (error)
		return error;
	for (uint64_t i = from / each; !error && i < EXT2_POINTERS; i++) {
		uint32_t *at = (uint32_t *)ext2_bytes(f) + i;

		if (!*at)
			continue;
		error = cut(n, at, level - 1,
			    from > i * each ? from - i * each : 0);
		mapping_dirty(f);
	}
	frame_put(f);
	return error;
}

/*
 * Free what *slot leads to from page @from on (counted from the first page of
 * *slot), and its block if that is all. A block of numbers that was freed must
 * not be written again: it may become a page of a file.
 */
static int cut(struct ext2_node *n, uint32_t *slot, unsigned level,
	       uint64_t from)
{
	struct ext2 *e = ext2_of(&n->inode);
	int error = 0;

	if (!*slot)
		return 0;
	if (level)
		error = cut_numbers(n, *slot, level, from);
	if (error || from)
		return error;
	if (level)
		mapping_discard(&e->disk->cache, *slot, *slot + 1ul);
	error = ext2_block_free(e, *slot);
	if (error)
		return error;
	*slot = 0;
	n->inode.blocks -= SECTORS;
	return 0;
}

int ext2_map_cut(struct ext2_node *n, uint64_t from)
{
	uint64_t first = 0;

	n->last = 0;
	for (unsigned slot = 0; slot < EXT2_SLOTS; slot++) {
		unsigned level =
			slot < EXT2_DIRECT ? 0 : slot - EXT2_DIRECT + 1;
		uint64_t skip = from > first ? from - first : 0;
		int error = 0;

		if (skip < span(level))
			error = cut(n, &n->disk.slot[slot], level, skip);
		if (error)
			return error;
		first += span(level);
	}
	return 0;
}
