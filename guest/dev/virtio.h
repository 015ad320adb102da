/* SPDX-License-Identifier: MIT */
/*
 * Virtio devices (virtio 1.2) behind the MMIO transport (4.2), and their split
 * queues (2.7). A queue of ours has one request at a time, in its first
 * descriptors, so that none is ever looked for:
 *
 *	descriptors | header | page | status | never used ...
 *	available   | 0 | 0 | 0 ...           index: requests so far
 *	used        | 0 | 0 |                 index: of those, done
 *
 * A queue is one frame.
 */
#pragma once

#include "guest/boot/machine.h"

#define VIRTQUEUES 5u /* that a device of ours can have */

struct virtqueue;

/* Whoever waits for something of the device sleeps on this. */
struct virtio {
	volatile uint32_t *registers, *config; /* config: the device's own */
	uint64_t features; /* both sides know */
	bool failed; /* it answers no request any more */
	bool is_console; /* the tree says so: the UART is not */
	struct virtqueue *queues[VIRTQUEUES]; /* NULL: it does not have it */
};

/* Each is a line in virtio.c's table. */
struct virtio_driver {
	uint32_t id; /* of the device */
	uint64_t needs, knows; /* features: without which not, and all */
	unsigned queues; /* a bit for each that we use */
	/* The device is running. May sleep. */
	void (*start)(struct virtio *v);
};

extern const struct virtio_driver virtio_blk, virtio_console, virtio_rng,
	virtio_balloon, virtio_iommu;

#define VIRTIO_PARTS 3u /* of a request, at most */

/* A part of a request: the kernel's memory, that the device reads or writes. */
struct virtio_part {
	const volatile void *at;
	size_t bytes;
	bool written;
};

/*
 * Hand the device a request of @n parts, when it is our turn, and sleep until
 * it is through. How many bytes it has written, or -EIO.
 */
int64_t virtqueue_run(struct virtqueue *q, const struct virtio_part *parts,
		      unsigned n);

/*
 * For a queue that nobody else uses: hand over a request, and look whether it is
 * back: how many bytes were written, -EAGAIN if it is not.
 */
void virtqueue_lend(struct virtqueue *q, const struct virtio_part *parts,
		    unsigned n);
int64_t virtqueue_back(struct virtqueue *q);

/* The guest is short of memory: take some frames out of the balloon. False:
 * there are none. */
bool balloon_relieve(void);

/* Random bytes to[@n]: how many, or -ENODEV without a source. Sleeps. */
int64_t rng_read(char *to, size_t n);

/*
 * From now on the DMA engine sees only what is mapped, whole pages from @at on;
 * until it is detached, which answers the device address of the last fault, or
 * 0. For one process at a time. Sleep. 0, -ENODEV, -EIO.
 */
int64_t iommu_attach(void);
int64_t iommu_map(pa_t at, uint64_t bytes);
uint64_t iommu_detach(void);

/* Find all devices and start their drivers. May sleep. */
void virtio_init(void);
