/* SPDX-License-Identifier: MIT */
/*
 * A request's life: its chain is taken and its header copied and checked; the
 * host works on its data where they lie (blk_io.h), in pages that are held
 * meanwhile, in parts where not all can be; then its status and the used ring
 * are written. What finds nothing to hold waits until others are done. A reset
 * gives up what is in flight, and waits until the host has let go of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/blk_state.h"

#define QUEUE 128

/* Give the chain back. The status is the last byte the guest lends. */
static bool answer(struct blk *b, struct blk_request *r, uint8_t status)
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
static void let_go(struct blk *b, struct blk_request *r)
{
	b->holding -= r->hold.len != 0;
	chain_let_go(queue_of(b, r), &r->chain, &r->hold);
}

/* Hold what comes next of its data. As chain_hold. */
static int hold(struct blk *b, struct blk_request *r)
{
	bool read = r->op.kind == OP_READ;
	int error;

	r->hold.write = read;
	r->hold.offset = (read ? 0 : BLK_HEADER) + r->done;
	r->hold.len = r->len - r->done;
	error = chain_hold(queue_of(b, r), &r->chain, &r->hold, !b->holding);
	b->holding += !error;
	r->op.piece = r->hold.piece;
	r->op.pieces = r->hold.pieces;
	return error;
}

/* The host is done with @r. False: the guest's queue is not there. */
static bool finish(struct blk *b, struct blk_request *r)
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
static bool part_done(struct blk *b, struct blk_request *r)
{
	r->done += r->hold.len;
	let_go(b, r);
	return !r->op.error && r->done < r->len;
}

/* Have the host do the next part, or have it wait. False: as finish. */
static bool go_on(struct blk *b, struct blk_request *r)
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

/* A chain that was taken. False: it has no room for a status, or the guest's
 * queue is not there. */
static bool begin(struct blk *b, struct blk_request *r)
{
	uint8_t status = BLK_IOERR;

	if (!r->chain.write_bytes)
		return false;
	r->op = (struct blk_op){ .error = 0 };
	r->hold.len = r->len = r->done = r->filled = 0;
	if (!chain_read(queue_of(b, r), &r->chain, 0, &r->header, BLK_HEADER) ||
	    !blk_look(b, r, &status))
		return answer(b, r, status);
	r->busy = true;
	return go_on(b, r);
}

/* Those that wait come first. */
static struct blk_request *idle_request(struct blk *b)
{
	if (b->waiting)
		return NULL;
	for (unsigned i = 0; i < BLK_IN_FLIGHT; i++)
		if (!b->request[i].busy)
			return &b->request[i];
	return NULL;
}

/* Pages were let go. */
static bool wake_waiting(struct blk *b)
{
	bool good = true;

	for (unsigned i = 0; i < BLK_IN_FLIGHT && b->waiting; i++)
		if (b->request[i].waits) {
			b->waiting--;
			good = go_on(b, &b->request[i]) && good;
		}
	return good;
}

/* An operation is the first thing in its request. */
static struct blk_request *request_of(struct blk_op *op)
{
	return (struct blk_request *)op;
}

static enum virtio_work blk_event(struct virtio *v)
{
	struct blk *b = blk_of(v);
	struct blk_op *op;
	bool good = true;

	while ((op = blk_io_done(&b->io))) {
		struct blk_request *r = request_of(op);

		good = (part_done(b, r) ? go_on(b, r) : finish(b, r)) && good;
	}
	good = wake_waiting(b) && good;
	blk_io_submit(&b->io);
	return good ? VIRTIO_DONE : VIRTIO_BROKEN;
}

/* Begin what waits, as much as there are requests for. */
static enum virtio_work begin_all(struct blk *b, unsigned n)
{
	struct blk_request *r;

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
	blk_io_init(&b->io, b->image.fd, BLK_IN_FLIGHT);
	v->event = blk_io_event(&b->io);
	return 0;
}

static void blk_reset(struct virtio *v)
{
	struct blk *b = blk_of(v);

	blk_io_cancel(&b->io);
	for (unsigned i = 0; i < BLK_IN_FLIGHT; i++) {
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
	int r = virtio_create(out, sizeof(struct blk), &kind, host);

	if (r)
		return r;
	blk_of(*out)->image = *image;
	virtio_config_set(*out, 0, &config, sizeof(config));
	return 0;
}
