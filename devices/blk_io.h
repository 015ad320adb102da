/* SPDX-License-Identifier: MIT */
/*
 * What the host does for a disk: operations on a file, by io_uring, or by plain
 * calls where that is forbidden. An operation goes on until it has moved all
 * its bytes or failed. One thread uses it.
 */
#ifndef DEVICES_BLK_IO_H
#define DEVICES_BLK_IO_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

struct blk_op {
	enum { OP_READ, OP_WRITE, OP_SYNC, OP_ALLOCATE } kind;
	uint64_t at; /* in the file, bytes */
	/* OP_READ, OP_WRITE: the caller's until it is done, and changed. */
	struct iovec *piece;
	unsigned pieces;
	uint64_t span; /* OP_ALLOCATE: bytes, */
	int mode; /* and how, as of fallocate */
	bool durable; /* OP_WRITE: on the medium when it is done */
	int error; /* once it is done: 0 or -errno */
};

struct blk_io {
	int fd;
	bool has_ring;
	struct io_uring ring;
	unsigned under_way;
};

/* For up to @ops operations at a time on @fd, which stays the caller's. */
void blk_io_init(struct blk_io *io, int fd, unsigned ops);
/* A descriptor that is readable when blk_io_done has something; -1: it never
 * will, for all are done at once. */
int blk_io_event(const struct blk_io *io);
/* Begin @op. True: it is done already. */
bool blk_io_begin(struct blk_io *io, struct blk_op *op);
/* Have the kernel know what was begun, after the last of several. */
void blk_io_submit(struct blk_io *io);
/* An operation that is done; NULL: none for now. What has to go on is begun
 * again. */
struct blk_op *blk_io_done(struct blk_io *io);
/* Give up all that was begun, and wait until the host touches none of it. */
void blk_io_cancel(struct blk_io *io);
/* Nothing is under way any more. */
void blk_io_fini(struct blk_io *io);

#endif
