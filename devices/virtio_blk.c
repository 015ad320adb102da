/* SPDX-License-Identifier: MIT */
/*
 * A request's life: its chain is taken and its header copied and checked; the
 * host works on its data where they lie (blk_io.h), in pages that are held
 * meanwhile, in parts where not all can be; then its status and the used ring
 * are written. What finds nothing to hold waits until others are done. A reset
 * gives up what is in flight, and waits until the host has let go of it.
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
	struct blk_op op; /* on what is held */
	struct vq_chain chain;
	struct blk_header header;
	struct vq_hold hold; /* the part of its data that is under way */
	unsigned queue;
	uint32_t len, done; /* bytes of its data */
	uint32_t filled; /* bytes that the guest lent and we have written */
	bool busy, waits;
};

struct blk {
	struct virtio v;
	struct blk_image image;
	struct blk_io io;
	bool made; /* image and io are */
	struct request request[IN_FLIGHT];
	unsigned holding; /* requests */
	unsigned waiting; /* for those */
};

static struct blk *blk_of(struct virtio *v)
{
	return (struct blk *)v;
}

static struct virtqueue *queue_of(struct blk *b, const struct request *r)
{
	return &b->v.queue[r->queue];
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

/* The part that is under way, if there is one, is no more. */
static void let_go(struct blk *b, struct request *r)
{
	b->holding -= r->hold.len != 0;
	chain_let_go(queue_of(b, r), &r->chain, &r->hold);
}

/* Hold what comes next of its data. As chain_hold. */
static int hold(struct blk *b, struct request *r)
{
	bool read = r->op.kind == OP_READ;
	int error;

	r->hold.write = read;
	r->hold.offset = (read ? 0 : HEADER) + r->done;
	r->hold.len = r->len - r->done;
	error = chain_hold(queue_of(b, r), &r->chain, &r->hold, !b->holding);
	b->holding += !error;
	r->op.piece = r->hold.piece;
	r->op.pieces = r->hold.pieces;
	return error;
}

/* The host is done with @r. False: the guest's queue is not there. */
static bool finish(struct blk *b, struct request *r)
{
	uint8_t status = status_of(r->op.error);

	if (status == BLK_OK) {
		r->filled = r->op.kind == OP_READ ? r->len : 0;
		atomic_fetch_add(&b->v.count.bytes, r->len);
	}
	r->busy = false;
	return answer(b, r, status);
}

/* The host has done a part. Is there more to do? */
static bool part_done(struct blk *b, struct request *r)
{
	r->done += r->hold.len;
	let_go(b, r);
	return !r->op.error && r->done < r->len;
}

/* Have the host do the next part, or have it wait. False: as finish. */
static bool go_on(struct blk *b, struct request *r)
{
	do {
		r->op.error = r->len ? hold(b, r) : 0;
		r->waits = r->op.error == -EBUSY;
		b->waiting += r->waits;
		if (r->waits)
			return true;
		if (!r->op.error && !blk_io_begin(&b->io, &r->op))
			return true;
	} while (part_done(b, r));
	return finish(b, r);
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

static uint8_t check_data(struct blk *b, struct request *r)
{
	bool write = r->header.type == BLK_OUT;
	uint32_t len =
		write ? r->chain.read_bytes - HEADER : r->chain.write_bytes - 1;

	if ((write && b->image.readonly) ||
	    !set_span(b, r, r->header.sector, len))
		return BLK_IOERR;
	r->op.kind = write ? OP_WRITE : OP_READ;
	r->len = len;
	/* Without the FLUSH feature the driver never asks for durability: each
	 * write has it (5.2.6.2). */
	r->op.durable = !(b->v.accepted & BLK_F_FLUSH);
	return BLK_OK;
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

	if (!r->chain.write_bytes)
		return false;
	r->op = (struct blk_op){ .error = 0 };
	r->hold.len = r->len = r->done = r->filled = 0;
	if (!chain_read(queue_of(b, r), &r->chain, 0, &r->header, HEADER) ||
	    !check(b, r, &status))
		return answer(b, r, status);
	r->busy = true;
	return go_on(b, r);
}

/* Those that wait come first. */
static struct request *idle_request(struct blk *b)
{
	if (b->waiting)
		return NULL;
	for (unsigned i = 0; i < IN_FLIGHT; i++)
		if (!b->request[i].busy)
			return &b->request[i];
	return NULL;
}

/* Pages were let go. */
static bool wake_waiting(struct blk *b)
{
	bool good = true;

	for (unsigned i = 0; i < IN_FLIGHT && b->waiting; i++)
		if (b->request[i].waits) {
			b->waiting--;
			good = go_on(b, &b->request[i]) && good;
		}
	return good;
}

/* An operation is the first thing in its request. */
static struct request *request_of(struct blk_op *op)
{
	return (struct request *)op;
}

static enum virtio_work blk_event(struct virtio *v)
{
	struct blk *b = blk_of(v);
	struct blk_op *op;
	bool good = true;

	while ((op = blk_io_done(&b->io))) {
		struct request *r = request_of(op);

		good = (part_done(b, r) ? go_on(b, r) : finish(b, r)) && good;
	}
	good = wake_waiting(b) && good;
	blk_io_submit(&b->io);
	return good ? VIRTIO_DONE : VIRTIO_BROKEN;
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

	blk_io_cancel(&b->io);
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		let_go(b, &b->request[i]);
		b->request[i].busy = b->request[i].waits = false;
	}
	b->waiting = 0;
}

static void blk_destroy(struct virtio *v)
{
	struct blk *b = blk_of(v);

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
