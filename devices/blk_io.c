/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/blk_io.h"

static bool is_data(const struct blk_op *op)
{
	return op->kind == OP_READ || op->kind == OP_WRITE;
}

static void prepare(struct blk_io *io, struct blk_op *op)
{
	/* As many entries as operations: there is one. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&io->ring);

	switch (op->kind) {
	case OP_READ:
		io_uring_prep_readv(sqe, io->fd, op->piece, op->pieces, op->at);
		break;
	case OP_WRITE:
		io_uring_prep_writev(sqe, io->fd, op->piece, op->pieces,
				     op->at);
		sqe->rw_flags = op->durable ? RWF_DSYNC : 0;
		break;
	case OP_SYNC:
		io_uring_prep_fsync(sqe, io->fd, IORING_FSYNC_DATASYNC);
		break;
	case OP_ALLOCATE:
		io_uring_prep_fallocate(sqe, io->fd, op->mode, (off_t)op->at,
					(off_t)op->span);
		break;
	}
	io_uring_sqe_set_data(sqe, op);
	io->under_way++;
}

/* The same by a plain call: what the ring's completion would say. */
static int call(struct blk_io *io, struct blk_op *op)
{
	const off_t at = (off_t)op->at;
	const int pieces = (int)op->pieces;
	ssize_t n = -1;

	switch (op->kind) {
	case OP_READ:
		n = preadv2(io->fd, op->piece, pieces, at, 0);
		break;
	case OP_WRITE:
		n = pwritev2(io->fd, op->piece, pieces, at,
			     op->durable ? RWF_DSYNC : 0);
		break;
	case OP_SYNC:
		n = fdatasync(io->fd);
		break;
	case OP_ALLOCATE:
		n = fallocate(io->fd, op->mode, at, (off_t)op->span);
		break;
	}
	return n < 0 ? -errno : (int)n;
}

/* @n bytes were moved. True: those were the last. */
static bool moved(struct blk_op *op, size_t n)
{
	op->at += n;
	for (; op->pieces && n >= op->piece->iov_len; op->pieces--)
		n -= op->piece++->iov_len;
	if (!op->pieces)
		return true;
	op->piece->iov_base = (uint8_t *)op->piece->iov_base + n;
	op->piece->iov_len -= n;
	return false;
}

/* Take in a result. False: the operation has to go on. */
static bool take(struct blk_op *op, int result)
{
	op->error = result < 0 ? result : 0;
	if (result == -EINTR || result == -EAGAIN)
		return false;
	if (result == -EOPNOTSUPP && (op->mode & FALLOC_FL_ZERO_RANGE)) {
		/* A hole reads as zeros, too. */
		op->mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		return false;
	}
	if (result < 0 || !is_data(op))
		return true;
	/* No bytes at all: the file is shorter than it was. */
	if (!result)
		op->error = -EIO;
	return !result || moved(op, (size_t)result);
}

void blk_io_init(struct blk_io *io, int fd, unsigned ops)
{
	io->fd = fd;
	io->under_way = 0;
	io->has_ring = !io_uring_queue_init(ops, &io->ring, 0);
}

int blk_io_event(const struct blk_io *io)
{
	return io->has_ring ? io->ring.ring_fd : -1;
}

bool blk_io_begin(struct blk_io *io, struct blk_op *op)
{
	if (io->has_ring) {
		prepare(io, op);
		return false;
	}
	while (!take(op, call(io, op)))
		;
	return true;
}

/* What the kernel does not take now (it has no memory) it takes later. */
void blk_io_submit(struct blk_io *io)
{
	while (io->has_ring && io_uring_sq_ready(&io->ring) &&
	       io_uring_submit(&io->ring) < 0)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The next completion. NULL: there is none. */
static void *complete(struct blk_io *io, bool wait, int *result)
{
	struct io_uring_cqe *cqe;
	void *op;
	int r;

	if (!io->under_way)
		return NULL;
	r = wait ? io_uring_wait_cqe(&io->ring, &cqe)
		 : io_uring_peek_cqe(&io->ring, &cqe);
	if (r)
		return NULL;
	op = io_uring_cqe_get_data(cqe);
	*result = cqe->res;
	io_uring_cqe_seen(&io->ring, cqe);
	io->under_way--;
	return op;
}

struct blk_op *blk_io_done(struct blk_io *io)
{
	struct blk_op *op;
	int result;

	while ((op = complete(io, false, &result))) {
		if (take(op, result))
			return op;
		prepare(io, op);
	}
	return NULL;
}

void blk_io_cancel(struct blk_io *io)
{
	struct io_uring_sqe *sqe;
	int result;

	if (!io->under_way)
		return;
	blk_io_submit(io);
	sqe = io_uring_get_sqe(&io->ring);
	io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY);
	io_uring_sqe_set_data(sqe, io); /* anything */
	io->under_way++;
	blk_io_submit(io);
	while (io->under_way)
		complete(io, true, &result);
}

void blk_io_fini(struct blk_io *io)
{
	if (io->has_ring)
		io_uring_queue_exit(&io->ring);
}
