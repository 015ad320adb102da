/* SPDX-License-Identifier: MIT */
/*
 * A request's life: its chain is taken and its header copied and checked; its
 * data lies in a buffer of ours while the host works on it (blk_io.h); then
 * data, status and used ring are written and the buffer is free. A reset
 * orphans what is in flight: that ends without touching the guest, and new
 * requests wait for it, so that no old write lands on a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/blk_io.h"
#include "devices/virtio_blk.h"
#include "ept/addr.h"

#define IN_FLIGHT 64
#define QUEUE	  128
#define HEADER	  ((uint32_t)sizeof(struct blk_header))

struct request {
	struct blk_op op; /* its bytes are malloced, or NULL */
	struct vq_chain chain;
	struct blk_header header;
	unsigned queue;
	uint32_t filled; /* bytes that the guest lent and we have written */
	bool busy, orphan;
};

struct blk {
	struct virtio v;
	struct blk_image image;
	struct blk_io io;
	bool made; /* image and io are */
	struct request request[IN_FLIGHT];
	unsigned in_flight, orphans;
	uint64_t flight_bytes;
};

static struct blk *blk_of(struct virtio *v)
{
	return (struct blk *)v;
}

static struct virtqueue *queue_of(struct blk *b, const struct request *r)
{
	return &b->v.queue[r->queue];
}

static void release(struct blk *b, struct request *r)
{
	b->orphans -= r->orphan;
	b->in_flight--;
	b->flight_bytes -= r->op.bytes ? r->op.len : 0;
	free(r->op.bytes);
	r->op.bytes = NULL;
	r->busy = false;
}

/* Give the chain back. The status is the last byte the guest lends. */
static bool answer(struct blk *b, struct request *r, uint8_t status)
{
	uint32_t last = r->chain.write_bytes - 1;
	bool good = chain_write(queue_of(b, r), &r->chain, last, &status, 1);

	if (status != BLK_OK)
		atomic_fetch_add(&b->v.count.errors, 1);
	/* 2.7.8.2: what is written without a gap, from the start. */
	if (r->filled == last)
		r->filled++;
	return good && virtio_give(&b->v, r->queue, r->chain.head, r->filled);
}

static uint8_t status_of(int error)
{
	return !error ? BLK_OK : error == -EOPNOTSUPP ? BLK_UNSUPP : BLK_IOERR;
}

/* What was read goes to the guest. */
static uint8_t deliver(struct blk *b, struct request *r)
{
	if (!chain_write(queue_of(b, r), &r->chain, 0, r->op.bytes, r->op.len))
		return BLK_IOERR;
	r->filled = r->op.len;
	return BLK_OK;
}

/* The host is done with @r. False: the guest's queue is not there. */
static bool finish(struct blk *b, struct request *r)
{
	uint8_t status = status_of(r->op.error);
	bool good = true;

	if (!r->orphan) {
		if (status == BLK_OK && r->op.kind == OP_READ)
			status = deliver(b, r);
		if (status == BLK_OK)
			atomic_fetch_add(&b->v.count.bytes, r->op.len);
		good = answer(b, r, status);
	}
	release(b, r);
	return good;
}

/* The sectors it is about. False: not all are the image's. */
static bool set_span(struct blk *b, struct request *r, uint64_t sector,
		     uint64_t bytes)
{
	uint64_t sectors = b->image.bytes / BLK_SECTOR;

	if (!bytes || bytes % BLK_SECTOR ||
	    !range_within(sector, bytes / BLK_SECTOR, sectors))
		return false;
	r->op.at = sector * BLK_SECTOR;
	r->op.span = bytes;
	return true;
}

/* A buffer with what is to be written. False: no memory, or no RAM there. */
static bool load(struct blk *b, struct request *r)
{
	r->op.bytes = malloc(r->op.len);
	if (!r->op.bytes)
		return false;
	b->flight_bytes += r->op.len;
	return r->op.kind == OP_READ ||
	       chain_read(queue_of(b, r), &r->chain, HEADER, r->op.bytes,
			  r->op.len);
}

static uint8_t check_data(struct blk *b, struct request *r)
{
	bool write = r->header.type == BLK_OUT;
	uint32_t len =
		write ? r->chain.read_bytes - HEADER : r->chain.write_bytes - 1;

	if ((write && b->image.readonly) || len > BLK_REQUEST_MAX ||
	    !set_span(b, r, r->header.sector, len))
		return BLK_IOERR;
	r->op.kind = write ? OP_WRITE : OP_READ;
	r->op.len = len;
	/* Without the FLUSH feature the driver never asks for durability: each
	 * write has it (5.2.6.2). */
	r->op.durable = !(b->v.accepted & BLK_F_FLUSH);
	return load(b, r) ? BLK_OK : BLK_IOERR;
}

static uint8_t check_range(struct blk *b, struct request *r)
{
	bool discard = r->header.type == BLK_DISCARD;
	struct blk_range range;

	if (r->chain.read_bytes != HEADER + sizeof(range))
		return BLK_UNSUPP;
	if (b->image.readonly || !chain_read(queue_of(b, r), &r->chain, HEADER,
					     &range, sizeof(range)))
		return BLK_IOERR;
	if (range.flags & ~(discard ? 0 : BLK_RANGE_UNMAP))
		return BLK_UNSUPP;
	r->op.kind = OP_ALLOCATE;
	r->op.mode = FALLOC_FL_KEEP_SIZE |
		     (discard || range.flags ? FALLOC_FL_PUNCH_HOLE
					     : FALLOC_FL_ZERO_RANGE);
	return set_span(b, r, range.sector,
			(uint64_t)range.sectors * BLK_SECTOR)
		       ? BLK_OK
		       : BLK_IOERR;
}

/* Done at once: at most BLK_SERIAL bytes, as many as there is room for. */
static uint8_t get_id(struct blk *b, struct request *r)
{
	uint32_t room = r->chain.write_bytes - 1;
	size_t len = room < BLK_SERIAL ? room : BLK_SERIAL;

	if (!chain_write(queue_of(b, r), &r->chain, 0, b->image.serial, len))
		return BLK_IOERR;
	r->filled = (uint32_t)len;
	return BLK_OK;
}

/* Is it something for the host? Else *status is the answer. */
static bool check(struct blk *b, struct request *r, uint8_t *status)
{
	switch (r->header.type) {
	case BLK_IN:
	case BLK_OUT:
		*status = check_data(b, r);
		break;
	case BLK_DISCARD:
	case BLK_WRITE_ZEROES:
		*status = check_range(b, r);
		break;
	case BLK_FLUSH:
		r->op.kind = OP_SYNC;
		*status = BLK_OK;
		break;
	case BLK_GET_ID:
		*status = get_id(b, r);
		return false;
	default:
		*status = BLK_UNSUPP;
		break;
	}
	return *status == BLK_OK;
}

/* A chain that was taken. False: it has no room for a status, or the guest's
 * queue is not there. */
static bool begin(struct blk *b, struct request *r)
{
	uint8_t status = BLK_IOERR;
	bool good = false;

	r->busy = true;
	r->orphan = false;
	r->filled = 0;
	r->op = (struct blk_op){ .bytes = NULL };
	b->in_flight++;
	if (r->chain.write_bytes) {
		if (chain_read(queue_of(b, r), &r->chain, 0, &r->header,
			       HEADER) &&
		    check(b, r, &status))
			return !blk_io_begin(&b->io, &r->op) || finish(b, r);
		good = answer(b, r, status);
	}
	release(b, r);
	return good;
}

static struct request *idle_request(struct blk *b)
{
	if (b->orphans || b->flight_bytes > BLK_FLIGHT_MAX - BLK_REQUEST_MAX)
		return NULL;
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		if (!b->request[i].busy)
			return &b->request[i];
	return NULL;
}

/* An operation is the first thing in its request. */
static struct request *request_of(struct blk_op *op)
{
	return (struct request *)op;
}

static enum virtio_work blk_event(struct virtio *v)
{
	struct blk *b = blk_of(v);
	enum virtio_work w = VIRTIO_DONE;
	struct blk_op *op;

	while ((op = blk_io_done(&b->io, false)))
		if (!finish(b, request_of(op)))
			w = VIRTIO_BROKEN;
	return w;
}

/* Begin what waits, as much as there are requests for. */
static enum virtio_work begin_all(struct blk *b, unsigned n)
{
	struct request *r;

	for (unsigned i = 0; i < QUEUE; i++) {
		if (!(r = idle_request(b)))
			return VIRTIO_MORE;
		r->queue = n;
		switch (virtqueue_take(&b->v.queue[n], &r->chain)) {
		case VQ_EMPTY:
			return VIRTIO_DONE;
		case VQ_BROKEN:
			return VIRTIO_BROKEN;
		case VQ_TAKEN:
			if (!begin(b, r))
				return VIRTIO_BROKEN;
		}
	}
	return VIRTIO_MORE;
}

/* What the host has in memory is done as soon as it hears of it. When there is
 * no request for more, a completion will bring us back. */
static enum virtio_work blk_queue(struct virtio *v, unsigned n)
{
	struct blk *b = blk_of(v);
	enum virtio_work w = begin_all(b, n);

	blk_io_submit(&b->io);
	if (blk_event(v) == VIRTIO_BROKEN)
		return VIRTIO_BROKEN;
	return w == VIRTIO_MORE && !idle_request(b) ? VIRTIO_DONE : w;
}

static int blk_start(struct virtio *v)
{
	struct blk *b = blk_of(v);
	int r;

	if (b->made)
		return 0;
	r = b->image.make ? b->image.make(b->image.ctx, &b->image.fd) : 0;
	if (r)
		return r;
	b->made = true;
	blk_io_init(&b->io, b->image.fd, IN_FLIGHT);
	v->event = blk_io_event(&b->io);
	return 0;
}

static void blk_reset(struct virtio *v)
{
	struct blk *b = blk_of(v);

	for (unsigned i = 0; i < IN_FLIGHT; i++)
		b->request[i].orphan = b->request[i].busy;
	b->orphans = b->in_flight;
}

static void blk_destroy(struct virtio *v)
{
	struct blk *b = blk_of(v);
	struct blk_op *op;

	/* The kernel may still write into their buffers. */
	while (b->in_flight && (op = blk_io_done(&b->io, true)))
		release(b, request_of(op));
	if (b->made)
		blk_io_fini(&b->io);
	if (b->image.fd >= 0)
		close(b->image.fd);
	free(b);
}

static const struct virtio_ops blk_ops = {
	.start = blk_start,
	.queue = blk_queue,
	.event = blk_event,
	.reset = blk_reset,
	.destroy = blk_destroy,
};

static struct blk_config config_of(const struct blk_image *image)
{
	uint64_t sectors = image->bytes / BLK_SECTOR;
	uint32_t most = sectors < UINT32_MAX ? (uint32_t)sectors : UINT32_MAX;

	return (struct blk_config){
		.capacity = sectors,
		.size_max = BLK_SIZE_MAX,
		.seg_max = BLK_SEG_MAX,
		.blk_size = BLK_SECTOR,
		.num_queues = (uint16_t)image->queues,
		.max_discard_sectors = most,
		.max_discard_seg = 1,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = most,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};
}

int virtio_blk_create(struct virtio **out, const struct blk_image *image,
		      const struct virtio_host *host)
{
	const struct virtio_kind kind = {
		.ops = &blk_ops,
		.name = "blk",
		.id = VIRTIO_ID_BLK,
		.features =
			BLK_F_SIZE_MAX | BLK_F_SEG_MAX | BLK_F_BLK_SIZE |
			BLK_F_FLUSH | BLK_F_MQ |
			(image->readonly ? BLK_F_RO
					 : BLK_F_DISCARD | BLK_F_WRITE_ZEROES),
		.queues = image->queues,
		.queue_size = QUEUE,
	};
	const struct blk_config config = config_of(image);
	struct blk *b = calloc(1, sizeof(*b));
	int r = b ? 0 : -ENOMEM;

	if (!r)
		r = virtio_init(&b->v, &kind, host);
	if (r) {
		free(b);
		return r;
	}
	b->image = *image;
	virtio_config_set(&b->v, 0, &config, sizeof(config));
	*out = &b->v;
	return 0;
}
