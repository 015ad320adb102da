/* SPDX-License-Identifier: MIT */
#include "guest/fs/mount.h"

#include "guest/dev/apic.h"
#include "guest/fs/ext2.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

#define LOOK_TICKS (4ul * TICKS_PER_SECOND)

struct ext2 *root_fs, *image_fs;

/* The disk in the kernel image, with the programs: see rom.S. */
extern const char rom_start[], rom_end[];

static int rom_transfer(struct block_device *d, uint64_t block, struct frame *f,
			bool write)
{
	(void)d;
	(void)write; /* never: it is read-only */
	memcpy(direct(frame_pa(f)), rom_start + (block << PAGE_SHIFT),
	       PAGE_SIZE);
	return 0;
}

static const struct block_ops rom_ops = { .transfer = rom_transfer };

static struct block_device rom = {
	.ops = &rom_ops,
	.readonly = true,
	.in_memory = true,
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
	for (unsigned i = 0; error && (disk = block_at(i)); i++) {
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
