/* SPDX-License-Identifier: MIT */
/*
 * The parts of ext2, to each other. What changes the disk holds the lock of
 * the file system; reading a page of a file does not, for what is mapped stays
 * as it is until mapping_truncate has waited for those who read.
 *
 * Nothing that was read is believed: numbers are checked where they are used,
 * and a disk that makes no sense is -EIO.
 */
#ifndef GUEST_FS_EXT2_NODE_H
#define GUEST_FS_EXT2_NODE_H

#include "guest/fs/block.h"
#include "guest/fs/ext2_disk.h"
#include "guest/fs/inode.h"

struct ext2 {
	struct file_system fs;
	struct block_device *disk;
	struct frame *super_frame; /* held */
	struct ext2_super *super; /* in it; its numbers may change: */
	uint32_t blocks, inodes, groups;
	uint32_t group_blocks, group_inodes;
	uint32_t inode_bytes, first_inode;
	uint32_t now; /* there is no clock: when the disk was last written */
	bool readonly, locked, corrupt;
	bool was_valid; /* when it was mounted */
};

struct ext2_node {
	struct inode inode;
	struct ext2_inode disk; /* as it is on the disk, or will be */
	uint32_t last; /* block that it got last, 0: none since it is here */
};

static inline struct ext2 *ext2_of(const struct inode *i)
{
	return (struct ext2 *)((char *)i->fs - offsetof(struct ext2, fs));
}

static inline struct ext2_node *ext2_node_of(struct inode *i)
{
	return (struct ext2_node *)i;
}

/* ext2.c */
void ext2_lock(struct ext2 *e); /* sleeps until nobody has it */
void ext2_unlock(struct ext2 *e);

/* Remember that the disk makes no sense; -EIO. */
int ext2_nonsense(struct ext2 *e, const char *what, uint64_t number);

/* Block @block of the disk in the cache: mapping_get and its errors. */
int ext2_block(struct ext2 *e, uint32_t block, struct frame **f);

static inline void *ext2_bytes(struct frame *f)
{
	return direct(frame_pa(f));
}

/* ext2_alloc.c: all with the lock. 0, -ENOSPC or -errno. */
int ext2_group(struct ext2 *e, uint32_t group, struct frame **f,
	       struct ext2_group **g);
int ext2_block_alloc(struct ext2 *e, uint32_t near, uint32_t *block);
int ext2_block_free(struct ext2 *e, uint32_t block);
int ext2_inode_alloc(struct ext2 *e, uint32_t near, bool directory,
		     uint32_t *number);
int ext2_inode_free(struct ext2 *e, uint32_t number, bool directory);

/* ext2_map.c: the block behind page @index of a file, 0: a hole. */
int ext2_map(struct ext2_node *n, uint64_t index, uint32_t *block);

/* The same with the lock; a hole gets a block. The inode is not stored. */
int ext2_map_make(struct ext2_node *n, uint64_t index, uint32_t *block);

/* With the lock: free the blocks from page @from on. */
int ext2_map_cut(struct ext2_node *n, uint64_t from);

/* ext2_inode.c */
int ext2_get(struct ext2 *e, uint32_t number, struct inode **to);
int ext2_new(struct ext2 *e, uint32_t number, uint32_t kind, struct inode **to);
int ext2_store(struct ext2_node *n); /* with the lock */
void ext2_erase(struct inode *i);
void ext2_free(struct inode *i);
int ext2_resize(struct inode *i, uint64_t bytes);
int ext2_grow(struct inode *i, uint64_t bytes);

/* ext2_dir.c */
extern const struct inode_ops ext2_directory_ops, ext2_read_only_ops;

#endif
