/* SPDX-License-Identifier: MIT */
#include "guest/fs/block.h"

#include "guest/lib/counts.h"
#include "guest/lib/errno.h"

static struct block_device *first, **last = &first;

static struct block_device *disk_of(struct mapping *m)
{
	return (struct block_device *)((char *)m -
				       offsetof(struct block_device, cache));
}

static int read_page(struct mapping *m, struct frame *f)
{
	return block_read(disk_of(m), f->index, f);
}

static int write_page(struct mapping *m, struct frame *f)
{
	return block_write(disk_of(m), f->index, f);
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
	block_init(d);
	d->next = NULL;
	*last = d;
	last = &d->next;
}

struct block_device *block_at(unsigned index)
{
	struct block_device *d = first;

	while (d && index--)
		d = d->next;
	return d;
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
	if (d->readonly)
		return -EROFS;
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
