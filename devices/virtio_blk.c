/* SPDX-License-Identifier: MIT */
/*
 * A request's life: its chain is taken and its header copied and checked;
 * its data lies in a buffer of ours while the host works on it (io_uring, or
 * plain calls where that is forbidden); then data, status and used ring are
 * written and the buffer is free. A reset orphans what is in flight: that ends
 * without touching the guest, and new requests wait for it, so that no old
 * write lands on a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/virtio_blk.h"
#include "ept/addr.h"

#define IN_FLIGHT 64
#define QUEUE	  128
#define HEADER	  ((uint32_t)sizeof(struct blk_header))

struct request {
	struct vq_chain chain;
	struct blk_header header;
	unsigned queue;
	uint8_t *bytes; /* BLK_IN, BLK_OUT: its data; else NULL */
	uint32_t len, done; /* of the data */
	uint32_t filled; /* bytes that the guest lent and we have written */
	uint64_t at, span; /* bytes of the image it is about */
	int mode; /* of fallocate */
	bool busy, orphan;
};

struct blk {
	struct virtio v;
	struct blk_image image;
	bool made; /* the image is */
	bool has_ring;
	struct io_uring ring;
	struct request request[IN_FLIGHT];
	unsigned in_flight, orphans;
	uint64_t flight_bytes;
};

static struct blk *blk_of(struct virtio *v)
{
	return (struct blk *)v;
}

static bool is_data(const struct request *r)
{
	return r->header.type == BLK_IN || r->header.type == BLK_OUT;
}

static void release(struct blk *b, struct request *r)
{
	b->orphans -= r->orphan;
	b->in_flight--;
	b->flight_bytes -= r->bytes ? r->len : 0;
	free(r->bytes);
	r->bytes = NULL;
	r->busy = false;
}

/* Give the chain back. The status is the last byte the guest lends. */
static bool answer(struct blk *b, struct request *r, uint8_t status)
{
	struct virtqueue *q = &b->v.queue[r->queue];
	uint32_t last = r->chain.write_bytes - 1;
	bool good = chain_write(q, &r->chain, last, &status, 1);

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
static int deliver(struct blk *b, struct request *r)
{
	if (!chain_write(&b->v.queue[r->queue], &r->chain, 0, r->bytes, r->len))
		return -EFAULT;
	r->filled = r->len;
	return 0;
}

/* The host is done with @r. */
static bool finish(struct blk *b, struct request *r, int error)
{
	bool good = true;

	if (!r->orphan) {
		if (!error && r->header.type == BLK_IN)
			error = deliver(b, r);
		if (!error && is_data(r))
			atomic_fetch_add(&b->v.count.bytes, r->len);
		good = answer(b, r, status_of(error));
	}
	release(b, r);
	return good;
}

/* Without the FLUSH feature the driver never asks for durability: each write
 * has it (5.2.6.2). */
static int write_flags(const struct blk *b)
{
	return b->v.accepted & BLK_F_FLUSH ? 0 : RWF_DSYNC;
}

static void prepare(struct blk *b, struct request *r, struct io_uring_sqe *sqe)
{
	uint64_t at = r->at + r->done;
	uint8_t *bytes = r->bytes + r->done;
	uint32_t len = r->len - r->done;

	switch (r->header.type) {
	case BLK_IN:
		io_uring_prep_read(sqe, b->image.fd, bytes, len, at);
		break;
	case BLK_OUT:
		io_uring_prep_write(sqe, b->image.fd, bytes, len, at);
		sqe->rw_flags = write_flags(b);
		break;
	case BLK_FLUSH:
		io_uring_prep_fsync(sqe, b->image.fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, b->image.fd, r->mode, (off_t)r->at,
					(off_t)r->span);
		break;
	}
	io_uring_sqe_set_data(sqe, r);
}

/* The same by a plain call: what the ring's completion would say. */
static int call(struct blk *b, struct request *r)
{
	struct iovec v = { r->bytes + r->done, r->len - r->done };
	off_t at = (off_t)(r->at + r->done);
	ssize_t n;

	switch (r->header.type) {
	case BLK_IN:
		n = preadv2(b->image.fd, &v, 1, at, 0);
		break;
	case BLK_OUT:
		n = pwritev2(b->image.fd, &v, 1, at, write_flags(b));
		break;
	case BLK_FLUSH:
		n = fdatasync(b->image.fd);
		break;
	default:
		n = fallocate(b->image.fd, r->mode, (off_t)r->at,
			      (off_t)r->span);
		break;
	}
	return n < 0 ? -errno : (int)n;
}

enum step { STEP_AGAIN, STEP_DONE };

/* What a result says: go on with the rest, or the request is done with
 * *error. No bytes at all: the image is shorter than it was. */
static enum step step(struct request *r, int result, int *error)
{
	*error = 0;
	if (result == -EINTR || result == -EAGAIN)
		return STEP_AGAIN;
	if (result < 0 && result == -EOPNOTSUPP &&
	    (r->mode & FALLOC_FL_ZERO_RANGE)) {
		/* A hole reads as zeros, too. */
		r->mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		return STEP_AGAIN;
	}
	if (result < 0) {
		*error = result;
		return STEP_DONE;
	}
	if (!is_data(r))
		return STEP_DONE;
	if (!result) {
		*error = -EIO;
		return STEP_DONE;
	}
	r->done += (uint32_t)result;
	return r->done < r->len ? STEP_AGAIN : STEP_DONE;
}

/* Have the host do it, now or soon. */
static bool submit(struct blk *b, struct request *r)
{
	int error;

	if (b->has_ring) {
		/* As many entries as requests: there is one. */
		prepare(b, r, io_uring_get_sqe(&b->ring));
		return true;
	}
	while (step(r, call(b, r), &error) == STEP_AGAIN)
		;
	return finish(b, r, error);
}

/* The sectors it is about. False: not all are the image's. */
static bool set_span(struct blk *b, struct request *r, uint64_t sector,
		     uint64_t bytes)
{
	uint64_t sectors = b->image.bytes / BLK_SECTOR;

	if (!bytes || bytes % BLK_SECTOR ||
	    !range_within(sector, bytes / BLK_SECTOR, sectors))
		return false;
	r->at = sector * BLK_SECTOR;
	r->span = bytes;
	return true;
}

/* A buffer with what is to be written. False: no memory, or no RAM there. */
static bool load(struct blk *b, struct request *r)
{
	struct virtqueue *q = &b->v.queue[r->queue];

	r->bytes = malloc(r->len);
	if (!r->bytes)
		return false;
	b->flight_bytes += r->len;
	return r->header.type == BLK_IN ||
	       chain_read(q, &r->chain, sizeof(r->header), r->bytes, r->len);
}

static uint8_t check_data(struct blk *b, struct request *r)
{
	bool write = r->header.type == BLK_OUT;
	uint32_t len =
		write ? r->chain.read_bytes - HEADER : r->chain.write_bytes - 1;

	if ((write && b->image.readonly) || len > BLK_REQUEST_MAX ||
	    !set_span(b, r, r->header.sector, len))
		return BLK_IOERR;
	r->len = len;
	return load(b, r) ? BLK_OK : BLK_IOERR;
}

static uint8_t check_range(struct blk *b, struct request *r)
{
	bool discard = r->header.type == BLK_DISCARD;
	struct blk_range range;

	if (r->chain.read_bytes != sizeof(r->header) + sizeof(range))
		return BLK_UNSUPP;
	if (b->image.readonly ||
	    !chain_read(&b->v.queue[r->queue], &r->chain, sizeof(r->header),
			&range, sizeof(range)))
		return BLK_IOERR;
	if (range.flags & ~(discard ? 0 : BLK_RANGE_UNMAP))
		return BLK_UNSUPP;
	r->mode = FALLOC_FL_KEEP_SIZE |
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

	if (!chain_write(&b->v.queue[r->queue], &r->chain, 0, b->image.serial,
			 len))
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

/* A chain that was taken. False: it has no room for a status. */
static bool begin(struct blk *b, struct request *r)
{
	struct virtqueue *q = &b->v.queue[r->queue];
	uint8_t status = BLK_IOERR;
	bool good;

	r->busy = true;
	r->orphan = false;
	r->len = r->done = r->filled = 0;
	r->mode = 0;
	b->in_flight++;
	if (!r->chain.write_bytes) {
		release(b, r);
		return false;
	}
	if (chain_read(q, &r->chain, 0, &r->header, sizeof(r->header)) &&
	    check(b, r, &status))
		return submit(b, r);
	good = answer(b, r, status);
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

/* What the kernel does not take now (it has no memory) it takes later. */
static void tell_host(struct blk *b)
{
	while (b->has_ring && io_uring_sq_ready(&b->ring) &&
	       io_uring_submit(&b->ring) < 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static enum virtio_work blk_queue(struct virtio *v, unsigned n)
{
	struct blk *b = blk_of(v);
	enum virtio_work w = VIRTIO_MORE;

	for (unsigned i = 0; i < QUEUE && w == VIRTIO_MORE; i++) {
		struct request *r = idle_request(b);
		enum vq_take take;

		if (!r) {
			w = VIRTIO_DONE; /* a completion will bring us back */
			break;
		}
		take = virtqueue_take(&v->queue[n], &r->chain);
		r->queue = n;
		if (take == VQ_EMPTY)
			w = VIRTIO_DONE;
		else if (take == VQ_BROKEN || !begin(b, r))
			w = VIRTIO_BROKEN;
	}
	tell_host(b);
	return w;
}

static enum virtio_work blk_event(struct virtio *v)
{
	struct blk *b = blk_of(v);
	enum virtio_work w = VIRTIO_DONE;
	struct io_uring_cqe *cqe;
	int error;

	while (!io_uring_peek_cqe(&b->ring, &cqe)) {
		struct request *r = io_uring_cqe_get_data(cqe);
		enum step s = step(r, cqe->res, &error);

		io_uring_cqe_seen(&b->ring, cqe);
		if (s == STEP_AGAIN)
			prepare(b, r, io_uring_get_sqe(&b->ring));
		else if (!finish(b, r, error))
			w = VIRTIO_BROKEN;
	}
	tell_host(b);
	return w;
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
	b->has_ring = !io_uring_queue_init(IN_FLIGHT, &b->ring, 0);
	v->event = b->has_ring ? b->ring.ring_fd : -1;
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

	/* The kernel may still write into buffers: they end after the ring. */
	while (b->has_ring && b->in_flight) {
		struct io_uring_cqe *cqe;

		if (io_uring_wait_cqe(&b->ring, &cqe))
			continue;
		release(b, io_uring_cqe_get_data(cqe));
		io_uring_cqe_seen(&b->ring, cqe);
	}
	if (b->has_ring)
		io_uring_queue_exit(&b->ring);
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
