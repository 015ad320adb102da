/* SPDX-License-Identifier: MIT */
/* The inside of the disk, for virtio_blk.c and blk_request.c. Its I/O thread
 * alone uses it. */
#ifndef DEVICES_BLK_STATE_H
#define DEVICES_BLK_STATE_H

#include "devices/blk_io.h"
#include "devices/virtio_blk.h"

#define BLK_IN_FLIGHT 64
#define BLK_HEADER    ((uint32_t)sizeof(struct blk_header))

struct blk_request {
	struct blk_op op; /* on what is held; the first thing in it */
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
	struct blk_request request[BLK_IN_FLIGHT];
	unsigned holding; /* requests */
	unsigned waiting; /* for those */
};

static inline struct blk *blk_of(struct virtio *v)
{
	return (struct blk *)v;
}

static inline struct virtqueue *queue_of(struct blk *b,
					 const struct blk_request *r)
{
	return &b->v.queue[r->queue];
}

/*
 * What does the request ask for, whose chain was taken and its header copied?
 * True: its op and len say it, and the host has to do it. Else *status is the
 * answer.
 */
bool blk_look(struct blk *b, struct blk_request *r, uint8_t *status);

#endif
