/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices (virtio 1.2) behind the MMIO transport (4.2), and their split
 * queues (2.7). Here a queue is cut into slots, one a request, each with the
 * same number of descriptors, so that none is ever looked for:
 *
 *	slot          0               1               2
 *	descriptors | head |    |    | head |    |    | head | ...
 *
 * Descriptors and rings share one frame.
 */
#ifndef GUEST_DEV_VIRTIO_H
#define GUEST_DEV_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/boot/machine.h"
#include "guest/mm/addr.h"

enum { VIRTIO_BLK = 2, VIRTIO_RNG = 4, VIRTIO_BALLOON = 5, VIRTIO_IOMMU = 23 };

#define VIRTQUEUES 5u /* that a device of ours can have */

struct virtqueue;

struct virtio {
	volatile uint8_t *registers;
	unsigned line; /* of the IOAPIC */
	uint64_t features; /* both sides know */
	bool failed; /* it answers no request any more */
	struct virtqueue *queues[VIRTQUEUES];
};

/* A part of a request: memory that the device reads, or writes. */
struct virtio_part {
	pa_t at;
	uint32_t bytes;
	bool written;
};

struct virtqueue {
	struct virtio *device;
	unsigned index, size, slots, chain; /* descriptors: all, a slot */
	struct virtq_descriptor *descriptors;
	struct virtq_available *available;
	struct virtq_used *used;
	uint16_t used_seen;
	uint64_t taken, done; /* a bit for each slot */
};

/*
 * For drivers, in this order: agree on @wanted features and what must be, set
 * up queues, go. Where an answer is not true or 0, the device is not usable.
 */
bool virtio_begin(struct virtio *v, uint64_t wanted);
int virtqueue_init(struct virtqueue *q, struct virtio *v, unsigned index,
		   unsigned chain);
void virtio_go(struct virtio *v);

/* A word of the device's own configuration. Who waits for it to change sleeps
 * on @v. */
uint32_t virtio_config(struct virtio *v, unsigned at);
void virtio_set_config(struct virtio *v, unsigned at, uint32_t value);

/* A slot for a request: the caller's until virtqueue_free. Sleeps for one. */
unsigned virtqueue_take(struct virtqueue *q);
void virtqueue_free(struct virtqueue *q, unsigned slot);

/* Hand the device a request of @n parts; true when it is through with it. */
void virtqueue_lend(struct virtqueue *q, unsigned slot,
		    const struct virtio_part *parts, unsigned n);
static inline bool virtqueue_is_done(const struct virtqueue *q, unsigned slot)
{
	return q->done >> slot & 1;
}

/*
 * The same, and sleep until the device is through. One that has failed writes
 * no answer: let there be one before that says so.
 */
void virtqueue_run(struct virtqueue *q, unsigned slot,
		   const struct virtio_part *parts, unsigned n);

/* Find all devices and start their drivers. May sleep. */
void virtio_init(const struct machine *m);

#endif
