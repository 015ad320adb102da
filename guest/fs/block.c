/* SPDX-License-Identifier: MIT */
/* Disks, and their cache: what file systems are read through. */
#include "guest/fs/block.h"

#include "guest/lib/errno.h"

struct block_device *disks[ABI_VIRTIO_SLOTS + 1];

static int transfer_page(struct mapping *m, struct frame *f, bool write)
{
	return block_transfer((struct block_device *)m, f->index, f, write);
}

static const struct mapping_ops cache_ops = {
	.transfer = transfer_page,
};

void block_init(struct block_device *d)
{
	mapping_init(&d->cache, &cache_ops);
}

void block_add(struct block_device *d)
{
	unsigned i = 0;

	while (disks[i])
		i++;
	disks[i] = d;
	block_init(d);
}

int block_transfer(struct block_device *d, uint64_t block, struct frame *f,
		   bool write)
{
	if (block >= d->blocks)
		return -EIO;
	d->written |= write;
	return d->ops->transfer(d, block, f, write);
}

int block_flush(struct block_device *d)
{
	bool written = d->written;

	d->written = false;
	return written && d->ops->flush ? d->ops->flush(d) : 0;
}
