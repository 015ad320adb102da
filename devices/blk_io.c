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

/* What is left to move. */
static struct iovec rest(const struct blk_op *op)
{
	if (!is_data(op))
		return (struct iovec){ NULL, 0 };
	return (struct iovec){ op->bytes + op->done, op->len - op->done };
}

static void prepare(struct blk_io *io, struct blk_op *op)
{
	/* As many entries as operations: there is one. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&io->ring);
	const struct iovec v = rest(op);
	uint64_t at = op->at + op->done;

	switch (op->kind) {
	case OP_READ:
		io_uring_prep_read(sqe, io->fd, v.iov_base, (unsigned)v.iov_len,
				   at);
		break;
	case OP_WRITE:
		io_uring_prep_write(sqe, io->fd, v.iov_base,
				    (unsigned)v.iov_len, at);
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
}

/* The same by a plain call: what the ring's completion would say. */
static int call(struct blk_io *io, struct blk_op *op)
{
	const struct iovec v = rest(op);
	off_t at = (off_t)(op->at + op->done);
	ssize_t n = -1;

	switch (op->kind) {
	case OP_READ:
		n = preadv2(io->fd, &v, 1, at, 0);
		break;
	case OP_WRITE:
		n = pwritev2(io->fd, &v, 1, at, op->durable ? RWF_DSYNC : 0);
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
	op->done += (uint32_t)result;
	return !result || op->done == op->len;
}

void blk_io_init(struct blk_io *io, int fd, unsigned ops)
{
	io->fd = fd;
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

/* The next completion. False: there is none. */
static bool complete(struct blk_io *io, bool wait, struct io_uring_cqe **cqe)
{
	int r;

	if (!io->has_ring)
		return false;
	do
		r = wait ? io_uring_wait_cqe(&io->ring, cqe)
			 : io_uring_peek_cqe(&io->ring, cqe);
	while (r == -EINTR);
	return !r;
}

struct blk_op *blk_io_done(struct blk_io *io, bool wait)
{
	struct io_uring_cqe *cqe;

	while (complete(io, wait, &cqe)) {
		struct blk_op *op = io_uring_cqe_get_data(cqe);
		bool done = take(op, cqe->res);

		io_uring_cqe_seen(&io->ring, cqe);
		if (done)
			return op;
		prepare(io, op);
		blk_io_submit(io);
	}
	return NULL;
}

void blk_io_fini(struct blk_io *io)
{
	if (io->has_ring)
		io_uring_queue_exit(&io->ring);
}
