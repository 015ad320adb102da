/* SPDX-License-Identifier: MIT */
/* The file system as a whole: what its superblock says, mounting, syncing. */
#include "guest/fs/ext2.h"

#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/slab.h"
#include "guest/proc/sched.h"

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
	if (block >= e->all[EXT2_BLOCKS])
		return ext2_nonsense(e, "block", block);
	return mapping_get(&e->disk->cache, block, f);
}

/* What we cannot do is refused, as Linux refuses it. */
static int check(const struct ext2_super *s, uint64_t disk_blocks)
{
	uint64_t groups;

	if (s->magic != EXT2_MAGIC)
		return -EINVAL;
	if (s->revision < 1 || s->log_block_bytes != 2 ||
	    s->incompatible != EXT2_INCOMPATIBLE)
		return -ENOSYS;
	if (s->first_block || !s->blocks || s->blocks > disk_blocks ||
	    !s->group_blocks || s->group_blocks > 8 * PAGE_SIZE ||
	    !s->group_inodes || s->group_inodes > 8 * PAGE_SIZE ||
	    s->inode_bytes < sizeof(struct ext2_inode) ||
	    s->inode_bytes > PAGE_SIZE ||
	    s->inode_bytes & (s->inode_bytes - 1) ||
	    s->first_inode <= EXT2_ROOT)
		return -EIO;
	groups = ((uint64_t)s->blocks + s->group_blocks - 1) / s->group_blocks;
	if (groups > EXT2_TABLES * EXT2_GROUPS)
		return -ENOSYS;
	return groups * s->group_inodes == s->inodes ? 0 : -EIO;
}

static void take_numbers(struct ext2 *e)
{
	const struct ext2_super *s = e->super;

	e->all[EXT2_BLOCKS] = s->blocks;
	e->all[EXT2_INODES] = s->inodes;
	e->each[EXT2_BLOCKS] = s->group_blocks;
	e->each[EXT2_INODES] = s->group_inodes;
	e->groups = (s->blocks - 1) / s->group_blocks + 1;
	e->now = s->written_at ? s->written_at : 1;
	e->readonly = e->disk->readonly || s->read_only & ~EXT2_READ_ONLY;
}

/*
 * While it is mounted the disk says that it is not in order. At the end it is
 * again, unless it was not before, or we have seen that it is not.
 */
int ext2_sync(struct ext2 *e, bool last)
{
	int error;

	if (e->readonly || broken("buffer-cache"))
		return 0;
	error = mapping_sync(&e->disk->cache, 0, UINT64_MAX);
	if (!error && last)
		error = block_flush(e->disk);
	if (!error && last && e->was_valid && !e->corrupt) {
		e->super->state |= EXT2_VALID;
		mapping_dirty(e->held[0]);
		error = mapping_sync(&e->disk->cache, 0, 1);
	}
	return error ? error : block_flush(e->disk);
}

static int hold(struct ext2 *e, uint32_t block)
{
	struct frame *f;
	int error = mapping_get(&e->disk->cache, block, &f);

	if (!error)
		e->held[block] = f;
	return error;
}

static int begin(struct ext2 *e)
{
	int error = hold(e, 0);

	if (error)
		return error;
	e->super = (void *)((char *)frame_bytes(e->held[0]) + EXT2_SUPER_AT);
	error = check(e->super, e->disk->blocks);
	if (error)
		return error;
	take_numbers(e);
	for (uint32_t g = 0; !error && g < e->groups; g += EXT2_GROUPS)
		error = hold(e, 1 + g / (uint32_t)EXT2_GROUPS);
	if (error || e->readonly)
		return error;
	e->was_valid = e->super->state & EXT2_VALID;
	e->super->state &= (uint16_t)~EXT2_VALID;
	e->super->mounts++;
	mapping_dirty(e->held[0]);
	return 0;
}

int ext2_mount(struct block_device *disk, struct ext2 **to)
{
	struct ext2 *e = kzalloc(sizeof(*e));
	int error;

	if (!e)
		return -ENOMEM;
	e->disk = disk;
	error = begin(e);
	if (!error) {
		*to = e;
		return 0;
	}
	for (unsigned i = 0; i <= EXT2_TABLES && e->held[i]; i++)
		frame_put(e->held[i]);
	kfree(e);
	return error;
}

#define LOOK_TICKS (4ul * TICKS_PER_SECOND)

struct ext2 *root_fs, *image_fs;

/* The disk in the kernel image, with the programs: see rom.S. */
extern const char rom_start[], rom_end[];

static int rom_transfer(struct block_device *d, uint64_t block, struct frame *f,
			bool write)
{
	(void)d;
	(void)write; /* never: it is read-only */
	memcpy(frame_bytes(f), rom_start + (block << PAGE_SHIFT), PAGE_SIZE);
	return 0;
}

static const struct block_ops rom_ops = { .transfer = rom_transfer };

static struct block_device rom = {
	.ops = &rom_ops,
	.readonly = true,
};

/* What is gone soon is not written at all. */
static void write_back(void)
{
	for (;;) {
		uint64_t next = lapic_ticks + LOOK_TICKS;

		while (lapic_ticks < next)
			sleep_until(&next, next);
		inode_sync_all(false);
	}
}

void fs_mount(void)
{
	struct block_device *disk;
	int error;

	rom.blocks = (uint64_t)(rom_end - rom_start) >> PAGE_SHIFT;
	block_init(&rom);
	error = ext2_mount(&rom, &image_fs);
	if (error)
		panic("the disk in the kernel image: error %d", error);
	root_fs = image_fs;
	error = -EINVAL;
	for (unsigned i = 0; error && (disk = disks[i]); i++) {
		error = ext2_mount(disk, &root_fs);
		if (error && error != -EINVAL)
			print("kernel: disk %u: error %d\n", i, error);
	}
	if (!error)
		process_kernel("write-back", write_back);
}

void fs_unmount(void)
{
	int error = inode_sync_all(true);

	if (error)
		print("kernel: the disk is not in order: error %d\n", error);
}
