/* SPDX-License-Identifier: MIT */
/* Disks, their partitions, and their cache. */
#include "guest/fs/block.h"

#include "guest/lib/base.h"
#include "guest/mm/slab.h"

#define PARTITIONS 4u
#define TABLE_MARK 0xaa55

struct block_device *disks[ABI_VIRTIO_SLOTS * PARTITIONS + 1];

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

static void list(struct block_device like)
{
	struct block_device *d = kmalloc(sizeof(*d)), **at = disks;

	if (!d)
		panic("no memory for a disk");
	while (*at)
		at++;
	*at = d;
	*d = like;
	block_init(d);
}

/*
 * The partition table of a PC (as sfdisk makes it): at the end of the first
 * sector four entries, and a mark. What does not lie on whole blocks within the
 * disk is no partition, so a disk whose sector only looks like a table is one.
 */
struct table {
	uint8_t code[446];
	struct {
		uint8_t active, first_chs[3], type, last_chs[3];
		uint32_t first, sectors;
	} part[PARTITIONS];
	uint16_t mark;
} __attribute__((packed));

static bool list_partitions(const struct block_device *disk,
			    const struct table *t)
{
	bool any = false;

	for (unsigned i = 0; t->mark == TABLE_MARK && i < PARTITIONS; i++) {
		struct block_device d = *disk;

		d.first = t->part[i].first / BLOCK_SECTORS;
		d.blocks = t->part[i].sectors / BLOCK_SECTORS;
		if (!d.first || !d.blocks || t->part[i].first % BLOCK_SECTORS ||
		    d.first + d.blocks > disk->blocks)
			continue;
		list(d);
		any = true;
	}
	return any;
}

void block_add(struct block_device d)
{
	struct frame *f = frame_alloc_raw(FRAME_KERNEL);

	if (!f)
		panic("no memory for a disk");
	if (block_transfer(&d, 0, f, false) ||
	    !list_partitions(&d, frame_bytes(f)))
		list(d);
	frame_put(f);
}

int block_transfer(struct block_device *d, uint64_t block, struct frame *f,
		   bool write)
{
	if (block >= d->blocks)
		return -EIO;
	d->written |= write;
	return d->ops->transfer(d, d->first + block, f, write);
}

int block_flush(struct block_device *d)
{
	bool written = d->written;

	d->written = false;
	return written && d->ops->flush ? d->ops->flush(d) : 0;
}
