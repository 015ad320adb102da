/* SPDX-License-Identifier: MIT */
/*
 * Disks, and partitions of disks: blocks of 4 KiB, each read and written as a
 * whole, from and to a frame. What a disk holds beside files (the tables of its
 * file system) is cached by block number in a mapping: the buffer cache is the
 * page cache.
 */
#pragma once

#include "guest/mm/mapping.h"

#define BLOCK_SECTORS ((uint32_t)PAGE_SIZE / 512)

struct block_device;

/* Both sleep until it is done. 0, -EIO, -ENOMEM. */
struct block_ops {
	int (*transfer)(struct block_device *d, uint64_t block, struct frame *f,
			bool write);
	/* what was written stays, come what may; NULL: it always does */
	int (*flush)(struct block_device *d);
};

struct block_device {
	struct mapping cache; /* the first: they have one address */
	const struct block_ops *ops;
	void *driver; /* its driver's */
	uint64_t first; /* of a partition: its block 0 is this of the disk */
	uint64_t blocks;
	bool readonly;
	bool written; /* since the last flush */
};

/* Before all else: ops, blocks and readonly of @d are set. */
void block_init(struct block_device *d);

/* Those that were found, in this order; a NULL behind the last. */
extern struct block_device *disks[];

/*
 * A driver has found a disk like @d: it is one of those, or, if it has a
 * partition table (block.c), each of its partitions is. Sleeps.
 */
void block_add(struct block_device d);

/* Sleep. 0 or -errno: -EIO behind the end. */
int block_transfer(struct block_device *d, uint64_t block, struct frame *f,
		   bool write);
int block_flush(struct block_device *d);
