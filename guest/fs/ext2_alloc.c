/* SPDX-License-Identifier: MIT */
/*
 * What is free: a bit for each block and each inode of a group, and counts of
 * the free ones in the group's descriptor and in the superblock.
 */
#include "guest/fs/ext2.h"
#include "guest/lib/errno.h"

#define WORD_BITS 64u

/* A 0 among the first @bits, from the word of @from on; false: there is none.
 * Bits that stand for nothing are 1. */
static bool find_zero(const uint64_t *word, uint32_t bits, uint32_t from,
		      uint32_t *bit)
{
	uint32_t words = (bits + WORD_BITS - 1) / WORD_BITS;

	for (uint32_t i = 0; i < words; i++) {
		uint32_t at = (from / WORD_BITS + i) % words;

		if (!~word[at])
			continue;
		*bit = at * WORD_BITS + (uint32_t)__builtin_ctzl(~word[at]);
		if (*bit < bits)
			return true;
	}
	return false;
}

/* Bit @bit of @group's bitmap in @f is another now: @more are free. */
static void flip(struct ext2 *e, enum ext2_what what, uint32_t group,
		 struct frame *f, uint32_t bit, int more)
{
	struct ext2_group *g = ext2_group(e, group);
	uint64_t *word = frame_bytes(f);

	word[bit / WORD_BITS] ^= 1ul << bit % WORD_BITS;
	g->free[what] = (uint16_t)(g->free[what] + more);
	e->super->free[what] += (uint32_t)more;
	mapping_dirty(f);
	mapping_dirty(ext2_group_frame(e, group));
	mapping_dirty(e->held[0]);
}

int ext2_take(struct ext2 *e, enum ext2_what what, uint32_t *n)
{
	uint32_t each = e->each[what], from = e->last[what], bit;

	for (uint32_t i = 0; i < e->groups; i++) {
		uint32_t group = (from / each + i) % e->groups;
		struct ext2_group *g = ext2_group(e, group);
		struct frame *f;
		bool found;
		int error;

		if (!g->free[what])
			continue;
		error = ext2_block(e, g->bitmap[what], &f);
		if (error)
			return error;
		found = find_zero(frame_bytes(f), each, from % each, &bit);
		if (found)
			flip(e, what, group, f, bit, -1);
		frame_put(f);
		if (found) {
			*n = e->last[what] = group * each + bit;
			return 0;
		}
	}
	return -ENOSPC;
}

int ext2_release(struct ext2 *e, enum ext2_what what, uint32_t n)
{
	uint32_t group = n / e->each[what], bit = n % e->each[what];
	struct frame *f;
	uint64_t *word;
	int error;

	if (n >= e->all[what])
		return ext2_nonsense(e, "block", n);
	error = ext2_block(e, ext2_group(e, group)->bitmap[what], &f);
	if (error)
		return error;
	word = frame_bytes(f);
	if (word[bit / WORD_BITS] >> bit % WORD_BITS & 1)
		flip(e, what, group, f, bit, 1);
	else
		error = ext2_nonsense(e, "bitmap of group", group);
	frame_put(f);
	return error;
}
