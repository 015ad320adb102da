/* SPDX-License-Identifier: MIT */
/*
 * What is free: a bit for each block and each inode of a group, and counts of
 * the free ones in the group's descriptor and in the superblock.
 */
#include "guest/fs/ext2_node.h"
#include "guest/lib/errno.h"

#define WORD_BITS 64u

int ext2_group(struct ext2 *e, uint32_t group, struct frame **f,
	       struct ext2_group **g)
{
	uint32_t block = 1 + group / (uint32_t)EXT2_GROUPS;
	int error;

	if (group >= e->groups)
		return ext2_nonsense(e, "group", group);
	error = ext2_block(e, block, f);
	if (!error)
		*g = (struct ext2_group *)ext2_bytes(*f) + group % EXT2_GROUPS;
	return error;
}

/* A group's descriptor and one of its bitmaps, both held. */
struct bits {
	struct frame *group_frame, *frame;
	struct ext2_group *group;
	uint64_t *word;
	uint32_t bits;
};

static void put(struct bits *b)
{
	frame_put(b->frame);
	frame_put(b->group_frame);
}

static int get(struct ext2 *e, uint32_t group, bool inodes, struct bits *b)
{
	int error = ext2_group(e, group, &b->group_frame, &b->group);

	if (error)
		return error;
	error = ext2_block(
		e, inodes ? b->group->inode_bitmap : b->group->block_bitmap,
		&b->frame);
	if (error) {
		frame_put(b->group_frame);
		return error;
	}
	b->word = ext2_bytes(b->frame);
	b->bits = inodes ? e->group_inodes : e->group_blocks;
	if (!inodes && group == e->groups - 1)
		b->bits = e->blocks - group * e->group_blocks;
	return 0;
}

static void dirty(struct ext2 *e, struct bits *b)
{
	mapping_dirty(b->frame);
	mapping_dirty(b->group_frame);
	mapping_dirty(e->super_frame);
}

/* The first 0 at @from or behind, else before; false: there is none. */
static bool find_zero(const struct bits *b, uint32_t from, uint32_t *bit)
{
	uint32_t words = (b->bits + WORD_BITS - 1) / WORD_BITS;
	uint64_t skip = (1ul << from % WORD_BITS) - 1;

	for (uint32_t i = 0; i <= words; i++) {
		uint32_t at = (from / WORD_BITS + i) % words;
		uint64_t free = ~b->word[at] & ~skip;

		skip = 0;
		*bit = at * WORD_BITS +
		       (uint32_t)__builtin_ctzl(free | 1ul << 63);
		if (free && *bit < b->bits)
			return true;
	}
	return false;
}

static bool test(const struct bits *b, uint32_t bit)
{
	return b->word[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static void flip(struct bits *b, uint32_t bit)
{
	b->word[bit / WORD_BITS] ^= 1ul << bit % WORD_BITS;
}

int ext2_block_alloc(struct ext2 *e, uint32_t near, uint32_t *block)
{
	uint32_t first = near / e->group_blocks, from = near % e->group_blocks;
	struct bits b;
	uint32_t bit;

	for (uint32_t i = 0; i < e->groups; i++, from = 0) {
		uint32_t group = (first + i) % e->groups;
		int error = get(e, group, false, &b);

		if (error)
			return error;
		if (b.group->free_blocks && find_zero(&b, from, &bit)) {
			flip(&b, bit);
			b.group->free_blocks--;
			e->super->free_blocks--;
			dirty(e, &b);
			put(&b);
			*block = group * e->group_blocks + bit;
			return 0;
		}
		put(&b);
	}
	return -ENOSPC;
}

int ext2_block_free(struct ext2 *e, uint32_t block)
{
	uint32_t bit = block % e->group_blocks;
	struct bits b;
	int error;

	if (!block || block >= e->blocks)
		return ext2_nonsense(e, "block", block);
	error = get(e, block / e->group_blocks, false, &b);
	if (error)
		return error;
	if (!test(&b, bit)) {
		put(&b);
		return ext2_nonsense(e, "free block", block);
	}
	flip(&b, bit);
	b.group->free_blocks++;
	e->super->free_blocks++;
	dirty(e, &b);
	put(&b);
	return 0;
}

/* In the group of @near, where its directory is, or the next that has one. */
int ext2_inode_alloc(struct ext2 *e, uint32_t near, bool directory,
		     uint32_t *number)
{
	uint32_t first = (near - 1) / e->group_inodes;
	struct bits b;
	uint32_t bit;

	for (uint32_t i = 0; i < e->groups; i++) {
		uint32_t group = (first + i) % e->groups;
		uint32_t from = group ? 0 : e->first_inode - 1;
		int error = get(e, group, true, &b);

		if (error)
			return error;
		if (b.group->free_inodes && find_zero(&b, from, &bit) &&
		    bit >= from) {
			flip(&b, bit);
			b.group->free_inodes--;
			b.group->directories += directory;
			e->super->free_inodes--;
			dirty(e, &b);
			put(&b);
			*number = group * e->group_inodes + bit + 1;
			return 0;
		}
		put(&b);
	}
	return -ENOSPC;
}

int ext2_inode_free(struct ext2 *e, uint32_t number, bool directory)
{
	uint32_t bit = (number - 1) % e->group_inodes;
	struct bits b;
	int error = get(e, (number - 1) / e->group_inodes, true, &b);

	if (error)
		return error;
	if (!test(&b, bit)) {
		put(&b);
		return ext2_nonsense(e, "free inode", number);
	}
	flip(&b, bit);
	b.group->free_inodes++;
	b.group->directories -= directory;
	e->super->free_inodes++;
	dirty(e, &b);
	put(&b);
	return 0;
}
