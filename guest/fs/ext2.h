/* SPDX-License-Identifier: MIT */
/*
 * The second extended file system (Card, Ts'o, Tweedie 1994), revision 1, with
 * blocks of 4 KiB: what mke2fs makes and e2fsck checks. It is the only one, so
 * there is no layer between it and files:
 *
 *	path ---> dir ---> inode ---> ext2_map ---> ext2_alloc ---> block
 *	names     entries  files      their blocks  what is free    the disk
 *
 * Nothing that was read is believed: numbers are checked where they are used,
 * and a disk that makes no sense is -EIO.
 */
#pragma once

#include "guest/fs/block.h"
#include "guest/fs/inode.h"

#define EXT2_TABLES 64u /* blocks that describe groups, at most */

struct ext2 {
	struct block_device *disk;
	/* kept in memory: the superblock's block, and the groups' behind it */
	struct frame *held[1 + EXT2_TABLES];
	struct ext2_super *super; /* its numbers may change: */
	uint32_t all[2], each[2]; /* blocks, inodes: how many; in a group */
	uint32_t last[2]; /* taken */
	uint32_t groups;
	uint32_t now; /* there is no clock: when the disk was last written */
	bool readonly, corrupt;
	bool was_valid; /* when it was mounted */
};

/* The mounted disk; and the one in the kernel image, read-only. */
extern struct ext2 *root_fs, *image_fs;

/* Mount the root: ext2 on the first disk that has it, else the kernel image;
 * and begin to write back what is dirty, now and then. May sleep. */
void fs_mount(void);

/* The run ends: leave the disk in order. */
void fs_unmount(void);

/*
 * Mount what is on @disk, in *to. -EINVAL: that is no ext2; -ENOSYS: it has
 * features that we must not ignore; -EIO, -ENOMEM. May sleep.
 */
int ext2_mount(struct block_device *disk, struct ext2 **to);

/* Write all of its tables that are dirty; @last: nothing will follow. */
int ext2_sync(struct ext2 *e, bool last);

/* Remember that the disk makes no sense; -EIO. */
int ext2_nonsense(struct ext2 *e, const char *what, uint64_t number);

/* Block @block of the disk in the cache: mapping_get and its errors. */
int ext2_block(struct ext2 *e, uint32_t block, struct frame **f);

/* The block of @group's descriptor, and that. */
static inline struct frame *ext2_group_frame(struct ext2 *e, uint32_t group)
{
	return e->held[1 + group / EXT2_GROUPS];
}

static inline struct ext2_group *ext2_group(struct ext2 *e, uint32_t group)
{
	struct ext2_group *first = frame_bytes(ext2_group_frame(e, group));

	return first + group % EXT2_GROUPS;
}

/*
 * ext2_alloc.c, with fs_lock: a free block or inode, behind the one taken last
 * if there is one, is in use, and free again. Inodes are counted from 0 here.
 * 0, -ENOSPC or -errno.
 */
int ext2_take(struct ext2 *e, enum ext2_what what, uint32_t *n);
int ext2_release(struct ext2 *e, enum ext2_what what, uint32_t n);

/*
 * ext2_map.c: the block behind page @index of a file, 0: a hole; or -errno.
 * With @make, and then with fs_lock, a hole gets a block.
 */
int64_t ext2_map(struct inode *i, uint64_t index, bool make);

/* With fs_lock: free all blocks. */
int ext2_map_cut(struct inode *i);
