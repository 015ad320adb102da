/* SPDX-License-Identifier: MIT */
#include "guest/fs/block.h"

#include "guest/abi.h"
#include "guest/lib/counts.h"
#include "guest/lib/errno.h"

static struct block_device *disks[ABI_VIRTIO_SLOTS + 1]; /* ends in a NULL */

static int read_page(struct mapping *m, struct frame *f)
{
	return block_read((struct block_device *)m, f->index, f);
}

static int write_page(struct mapping *m, struct frame *f)
{
	return block_write((struct block_device *)m, f->index, f);
}

static const struct mapping_ops cache_ops = {
	.read = read_page,
	.write = write_page,
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

struct block_device *block_at(unsigned index)
{
	return disks[index];
}

int block_read(struct block_device *d, uint64_t block, struct frame *f)
{
	if (block >= d->blocks)
		return -EIO;
	counts.disk_reads += !d->in_memory;
	return d->ops->transfer(d, block, f, false);
}

int block_write(struct block_device *d, uint64_t block, struct frame *f)
{
	if (block >= d->blocks)
		return -EIO;
	counts.disk_writes++;
	d->written = true;
	return d->ops->transfer(d, block, f, true);
}

int block_flush(struct block_device *d)
{
	bool written = d->written;

	d->written = false;
	return written && d->ops->flush ? d->ops->flush(d) : 0;
}
