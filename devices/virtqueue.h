/* SPDX-License-Identifier: MIT */
/*
 * A split virtqueue (virtio 1.2, 2.7), seen from the device. One thread at a
 * time uses a queue. Guest memory is reached by address only, and nothing the
 * guest wrote is believed: a chain is copied once, then the copy is checked.
 *
 *   descriptors  size * 16  { address, length, flags, next }
 *   driver area  6 + size * 2  flags, idx, ring[size], used_event
 *   device area  6 + size * 8  flags, idx, ring[size], avail_event
 */
#ifndef DEVICES_VIRTQUEUE_H
#define DEVICES_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "devices/virtio_bits.h"
#include "ept/guest_mem.h"

#define VQ_SIZE_MAX 256 /* descriptors of a queue, and so of a chain */
#define VQ_PIECES   32

struct virtqueue {
	struct stage2 *memory;
	/* RAM could not be had: true when there is reason to try once more. As
	 * long as there may be, it waits. NULL: there never is. */
	bool (*again)(void *ctx);
	void *ctx; /* of again */
	/* Latched when the driver made the queue ready; size 0: it has not. */
	uint16_t size; /* a power of two */
	gpa_t desc, driver, device;
	bool indirect, event_idx; /* negotiated */

	uint16_t seen; /* the next entry of the available ring */
	uint16_t used; /* the next entry of the used ring */
	uint16_t told; /* where used was when the driver last heard of it */
};

/* Buffers that the guest lends: first those to be read, then those to be
 * written. No address has been looked at: each access says whether it was RAM.
 */
struct vq_chain {
	uint16_t head;
	unsigned readable, segments; /* writable: segments - readable */
	uint32_t read_bytes, write_bytes;
	struct vq_segment {
		gpa_t at;
		uint32_t len; /* not 0 */
	} segment[VQ_SIZE_MAX];
};

enum vq_take {
	VQ_EMPTY, /* the driver will notify of the next chain */
	VQ_TAKEN,
	VQ_BROKEN /* no sense can be made of the queue */
};

/* Does the driver's queue of @q->size at these addresses lie in RAM, aligned
 * as section 2.7 wants it? */
bool virtqueue_valid(const struct virtqueue *q);

/* The next chain that the driver made available. */
enum vq_take virtqueue_take(struct virtqueue *q, struct vq_chain *c);

/*
 * Copy between the chain's readable or writable bytes, from the @offset-th on,
 * and a buffer. False: a part is no RAM, cannot be had, or lies beyond the
 * chain's end; nothing is promised about the bytes.
 */
bool chain_read(struct virtqueue *q, const struct vq_chain *c, uint32_t offset,
		void *to, size_t len);
bool chain_write(struct virtqueue *q, const struct vq_chain *c, uint32_t offset,
		 const void *from, size_t len);

/* Some of a chain's bytes, in pages that stay where they are (guest_hold). */
struct vq_hold {
	bool write; /* of the writable ones */
	uint32_t offset, len; /* which: [offset, offset + len) */
	unsigned pieces;
	struct iovec piece[VQ_PIECES]; /* where the host has them */
};

/*
 * Hold as many of @h's bytes as there are pieces and guest_hold allow, at least
 * one: then @h->len says how many. @must: a page may be pinned whatever is. 0,
 * or as guest_hold (-EBUSY: not now), and nothing is held.
 */
int chain_hold(struct virtqueue *q, const struct vq_chain *c, struct vq_hold *h,
	       bool must);
/* The end of it: @h->len is 0 then. */
void chain_let_go(struct virtqueue *q, const struct vq_chain *c,
		  struct vq_hold *h);

/* The last @n chains that were taken, of which none was given back, are to be
 * taken once more. */
void virtqueue_untake(struct virtqueue *q, unsigned n);

/* Give chains back, at most q->size: heads, and bytes of them written. The
 * driver sees all of them or none. False: the used ring cannot be had. */
bool virtqueue_give(struct virtqueue *q, const struct vq_used *used,
		    unsigned n);

/* Does the driver want an interrupt for what was given since the last call? */
bool virtqueue_interrupts(struct virtqueue *q);

#endif
