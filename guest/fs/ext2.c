/* SPDX-License-Identifier: MIT */
/* The file system as a whole: what its superblock says, mounting, syncing. */
#include "guest/fs/ext2.h"

#include "guest/fs/ext2_node.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/mm/slab.h"
#include "guest/proc/sleep.h"

void ext2_lock(struct ext2 *e)
{
	while (e->locked)
		sleep_on(e);
	e->locked = true;
}

void ext2_unlock(struct ext2 *e)
{
	e->locked = false;
	wake(e);
}

int ext2_nonsense(struct ext2 *e, const char *what, uint64_t number)
{
	if (!e->corrupt)
		print("kernel: ext2: %s %lu makes no sense: run e2fsck\n", what,
		      number);
	e->corrupt = true;
	return -EIO;
}

int ext2_block(struct ext2 *e, uint32_t block, struct frame **f)
{
	if (block >= e->blocks)
		return ext2_nonsense(e, "block", block);
	return mapping_get(&e->disk->cache, block, f);
}

static bool is_power_of_2(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* What we cannot do is refused, as Linux refuses it. */
static int check(const struct ext2_super *s, uint64_t disk_blocks)
{
	uint64_t groups;

	if (s->magic != EXT2_MAGIC)
		return -EINVAL;
	if (s->revision < 1 || s->log_block_bytes != 2 ||
	    s->incompatible & ~EXT2_INCOMPATIBLE)
		return -ENOSYS;
	if (s->first_block || !s->blocks || s->blocks > disk_blocks ||
	    !s->group_blocks || s->group_blocks > 8 * PAGE_SIZE ||
	    !s->group_inodes || s->group_inodes > 8 * PAGE_SIZE ||
	    s->inode_bytes < sizeof(struct ext2_inode) ||
	    s->inode_bytes > PAGE_SIZE || !is_power_of_2(s->inode_bytes) ||
	    s->first_inode <= EXT2_ROOT)
		return -EIO;
	groups = ((uint64_t)s->blocks + s->group_blocks - 1) / s->group_blocks;
	return groups * s->group_inodes == s->inodes ? 0 : -EIO;
}

static void take_numbers(struct ext2 *e)
{
	const struct ext2_super *s = e->super;

	e->blocks = s->blocks;
	e->inodes = s->inodes;
	e->group_blocks = s->group_blocks;
	e->group_inodes = s->group_inodes;
	e->groups = (s->blocks - 1) / s->group_blocks + 1;
	e->inode_bytes = s->inode_bytes;
	e->first_inode = s->first_inode;
	e->now = s->written_at ? s->written_at : 1;
	e->readonly = e->disk->readonly || s->read_only & ~EXT2_READ_ONLY;
}

/*
 * While it is mounted the disk says that it is not in order. At the end it is
 * again, unless it was not before, or we have seen that it is not.
 */
static int sync(struct file_system *fs, bool last)
{
	struct ext2 *e = (struct ext2 *)fs;
	int error;

	if (e->readonly || broken("buffer-cache"))
		return 0;
	error = mapping_sync(&e->disk->cache, 0, UINT64_MAX);
	if (!error && last)
		error = block_flush(e->disk);
	if (!error && last && e->was_valid && !e->corrupt) {
		e->super->state |= EXT2_VALID;
		mapping_dirty(e->super_frame);
		error = mapping_sync(&e->disk->cache, 0, 1);
	}
	return error ? error : block_flush(e->disk);
}

static const struct file_system_ops ext2_ops = {
	.sync = sync,
	.erase = ext2_erase,
	.free = ext2_free,
};

static int begin(struct ext2 *e)
{
	int error;

	ext2_lock(e);
	error = ext2_get(e, EXT2_ROOT, &e->fs.root);
	ext2_unlock(e);
	if (error)
		return error;
	if (e->fs.root->kind != FILE_DIRECTORY) {
		inode_put(e->fs.root);
		return ext2_nonsense(e, "inode", EXT2_ROOT);
	}
	if (e->readonly)
		return 0;
	e->was_valid = e->super->state & EXT2_VALID;
	e->super->state &= (uint16_t)~EXT2_VALID;
	e->super->mounts++;
	mapping_dirty(e->super_frame);
	return 0;
}

int ext2_mount(struct block_device *disk, struct file_system **to)
{
	struct ext2 *e = kzalloc(sizeof(*e));
	int error;

	if (!e)
		return -ENOMEM;
	e->disk = disk;
	e->fs.ops = &ext2_ops;
	e->fs.name = "ext2";
	error = mapping_get(&disk->cache, 0, &e->super_frame);
	if (error)
		goto undo_alloc;
	e->super = (void *)((char *)ext2_bytes(e->super_frame) + EXT2_SUPER_AT);
	error = check(e->super, disk->blocks);
	if (error)
		goto undo_super;
	take_numbers(e);
	error = begin(e);
	if (error)
		goto undo_super;
	*to = &e->fs;
	return 0;

undo_super:
	frame_put(e->super_frame);
undo_alloc:
	kfree(e);
	return error;
}
