/* SPDX-License-Identifier: MIT */
#include "guest/dev/virtio_blk.h"

#include <assert.h>

#include "guest/fs/block.h"
#include "guest/lib/errno.h"
#include "guest/mm/slab.h"

enum { CONFIG_SECTORS = 0 }; /* 64 bits */
enum { FEATURE_RO = 1 << 5, FEATURE_FLUSH = 1 << 9 };
enum { READ = 0, WRITE = 1, FLUSH = 4 };
enum { STATUS_OK = 0, STATUS_UNTOLD = 0xff };

#define SECTORS (PAGE_SIZE / 512) /* a block */

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct request {
	struct header header;
	uint8_t status, unused[15];
};

#define REQUESTS (PAGE_SIZE / sizeof(struct request)) /* more than slots */

struct disk {
	struct block_device block;
	struct virtqueue queue;
	struct request *requests; /* a frame of them, by slot */
	bool can_flush;
};

/* A header, what is to be moved, a status (5.2.6). */
static int ask(struct disk *d, uint32_t type, uint64_t sector, struct frame *f)
{
	unsigned slot = virtqueue_take(&d->queue), n = 0;
	struct request *r = &d->requests[slot];
	pa_t at = { (uintptr_t)r - DIRECT_BASE };
	struct virtio_part parts[3];
	uint8_t status;

	r->header = (struct header){ .type = type, .sector = sector };
	r->status = STATUS_UNTOLD;
	parts[n++] = (struct virtio_part){ at, sizeof(r->header), false };
	if (f)
		parts[n++] = (struct virtio_part){ frame_pa(f), PAGE_SIZE,
						   type == READ };
	at.v += offsetof(struct request, status);
	parts[n++] = (struct virtio_part){ at, 1, true };
	virtqueue_run(&d->queue, slot, parts, n);
	status = *(volatile uint8_t *)&r->status;
	virtqueue_free(&d->queue, slot);
	return status == STATUS_OK ? 0 : -EIO;
}

static int transfer(struct block_device *b, uint64_t block, struct frame *f,
		    bool write)
{
	return ask((struct disk *)b, write ? WRITE : READ, block * SECTORS, f);
}

static int flush(struct block_device *b)
{
	struct disk *d = (struct disk *)b;

	return d->can_flush ? ask(d, FLUSH, 0, NULL) : 0;
}

static const struct block_ops blk_ops = {
	.transfer = transfer,
	.flush = flush,
};

static_assert(REQUESTS >= 64 / 3, "a request for each slot");

int virtio_blk_start(struct virtio *v)
{
	struct disk *d = kzalloc(sizeof(*d));
	struct frame *f = frame_alloc(FRAME_KERNEL);
	uint64_t sectors;
	int error = -ENOMEM;

	if (!d || !f)
		goto undo;
	d->requests = direct(frame_pa(f));
	error = -ENODEV;
	if (!virtio_begin(v, FEATURE_RO | FEATURE_FLUSH))
		goto undo;
	error = virtqueue_init(&d->queue, v, 0, 3);
	if (error)
		goto undo;
	sectors = virtio_config(v, CONFIG_SECTORS) |
		  (uint64_t)virtio_config(v, CONFIG_SECTORS + 4) << 32;
	d->block.ops = &blk_ops;
	d->block.blocks = sectors / SECTORS;
	d->block.readonly = v->features & FEATURE_RO;
	d->can_flush = v->features & FEATURE_FLUSH;
	virtio_go(v);
	block_add(&d->block);
	return 0;

undo:
	if (f)
		frame_put(f);
	kfree(d);
	return error;
}
