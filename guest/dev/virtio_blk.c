/* SPDX-License-Identifier: MIT */
/* Driver of a disk (virtio 1.2, 5.2): one of fs/block.h. */
#include "guest/dev/virtio.h"
#include "guest/fs/block.h"
#include "guest/lib/errno.h"

enum { CONFIG_SECTORS = 0 }; /* a word, and the next */
enum { FEATURE_RO = 1 << 5, FEATURE_FLUSH = 1 << 9 };
enum { READ = 0, WRITE = 1, FLUSH = 4 };
enum { STATUS_OK = 0, STATUS_UNTOLD = 0xff };

/* A header, what is to be moved, a status (5.2.6): two lie on our stack. */
static int ask(struct block_device *b, uint32_t type, uint64_t block,
	       struct frame *f)
{
	struct virtqueue *q = ((struct virtio *)b->driver)->queues[0];
	const struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header = { .type = type, .sector = block * BLOCK_SECTORS };
	volatile uint8_t status = STATUS_UNTOLD;
	struct virtio_part parts[3] = { { &header, sizeof(header), false } };
	unsigned n = 1;

	if (f)
		parts[n++] = (struct virtio_part){ frame_bytes(f), PAGE_SIZE,
						   type == READ };
	parts[n++] = (struct virtio_part){ &status, 1, true };
	virtqueue_run(q, parts, n);
	return status == STATUS_OK ? 0 : -EIO;
}

static int transfer(struct block_device *b, uint64_t block, struct frame *f,
		    bool write)
{
	if (write)
		counts.disk_writes++;
	else
		counts.disk_reads++;
	return ask(b, write ? WRITE : READ, block, f);
}

static int flush(struct block_device *b)
{
	return ask(b, FLUSH, 0, NULL);
}

static const struct block_ops ops = { transfer, flush };

static void start(struct virtio *v)
{
	uint64_t sectors = v->config[CONFIG_SECTORS] |
			   (uint64_t)v->config[CONFIG_SECTORS + 1] << 32;

	block_add((struct block_device){
		.ops = &ops,
		.driver = v,
		.blocks = sectors / BLOCK_SECTORS,
		.readonly = v->features & FEATURE_RO,
	});
}

const struct virtio_driver virtio_blk = {
	.id = 2,
	.needs = FEATURE_FLUSH,
	.knows = FEATURE_RO,
	.queues = 1,
	.start = start,
};
