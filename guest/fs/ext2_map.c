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
#include "guest/fs/ext2.h"
#include "guest/lib/base.h"

#define POINTER_BITS 10u

static_assert(EXT2_POINTERS == 1u << POINTER_BITS, "");

/* Pages that one number at @level leads to; at level 0 it is the page's. */
static uint64_t span(unsigned level)
{
	return 1ul << POINTER_BITS * level;
}

static unsigned level_of(unsigned slot)
{
	return slot < EXT2_DIRECT ? 0 : slot - EXT2_DIRECT + 1;
}

/* Which slot leads to *index, which is then within it. */
static unsigned find_slot(uint64_t *index)
{
	unsigned slot = 0;

	while (*index >= span(level_of(slot)))
		*index -= span(level_of(slot++));
	return slot;
}

static uint32_t *pointer(struct frame *f, uint64_t index, unsigned level)
{
	uint32_t *at = frame_bytes(f);

	return at + (index >> POINTER_BITS * level) % EXT2_POINTERS;
}

/* *slot gets a block: of numbers, at @level above 0, all holes. */
static int fill_slot(struct inode *i, uint32_t *slot, unsigned level)
{
	struct ext2 *e = i->fs;
	struct frame *f;
	uint32_t block;
	int error = ext2_take(e, EXT2_BLOCKS, &block);

	if (error)
		return error;
	if (level) {
		error = ext2_block(e, block, &f);
		if (error) {
			ext2_release(e, EXT2_BLOCKS, block);
			return error;
		}
		memset(frame_bytes(f), 0, PAGE_SIZE);
		mapping_dirty(f);
		frame_put(f);
	}
	*slot = block;
	i->disk->sectors += BLOCK_SECTORS;
	inode_changed(i);
	return 0;
}

/*
 * Walk down to page @index. Each step reads a number out of the inode or out
 * of a block that is held; @make fills in what is missing on the way.
 */
int64_t ext2_map(struct inode *i, uint64_t index, bool make)
{
	struct frame *f = NULL, *next;
	unsigned slot, level;
	uint32_t *at, block;
	int error = 0;

	if (index >= EXT2_PAGES)
		return -EFBIG;
	slot = find_slot(&index);
	at = &i->disk->slot[slot];
	for (level = level_of(slot);; level--) {
		if (!*at && make) {
			error = fill_slot(i, at, level);
			if (!error && f)
				mapping_dirty(f);
		}
		if (error || !*at || !level)
			break;
		error = ext2_block(i->fs, *at, &next);
		if (error)
			break;
		if (f)
			frame_put(f);
		f = next;
		at = pointer(f, index, level - 1);
	}
	block = *at;
	if (f)
		frame_put(f);
	if (!error && block >= i->fs->all[EXT2_BLOCKS])
		error = ext2_nonsense(i->fs, "block", block);
	return error ? error : (int64_t)block;
}

/*
 * Free what *slot leads to, and its block. A block of numbers that was freed
 * must not be written again: it may become a page of a file.
 */
static int cut(struct inode *i, uint32_t *slot, unsigned level)
{
	struct ext2 *e = i->fs;
	struct frame *f;
	int error;

	if (!*slot)
		return 0;
	if (level) {
		uint32_t *number;

		error = ext2_block(e, *slot, &f);
		if (error)
			return error;
		number = frame_bytes(f);
		for (unsigned at = 0; !error && at < EXT2_POINTERS; at++)
			error = cut(i, number + at, level - 1);
		mapping_dirty(f);
		frame_put(f);
		if (error)
			return error;
		mapping_discard(&e->disk->cache, *slot, *slot + 1ul);
	}
	error = ext2_release(e, EXT2_BLOCKS, *slot);
	if (error)
		return error;
	*slot = 0;
	i->disk->sectors -= BLOCK_SECTORS;
	inode_changed(i);
	return 0;
}

int ext2_map_cut(struct inode *i)
{
	int error = 0;

	for (unsigned slot = 0; !error && slot < EXT2_SLOTS; slot++)
		error = cut(i, &i->disk->slot[slot], level_of(slot));
	return error;
}
