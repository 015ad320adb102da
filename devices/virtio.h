/* SPDX-License-Identifier: MIT */
/*
 * A virtio device on the MMIO transport (virtio 1.2, 4.2, version 2), without
 * what makes it a disk or a balloon: registers, feature negotiation, queues,
 * interrupts, and a thread of its own that does all the work.
 *
 *   vCPUs --registers--> lock --orders--> I/O thread --ops--> device kind
 *         --QueueNotify (an eventfd)------^  ^-- ops' own descriptor
 *
 * The I/O thread alone touches queues. It begins with the first DRIVER_OK, so
 * that a device which the guest ignores costs nothing. A reset is done by it
 * too, and the vCPU that asked waits for it. A guest that makes no sense gets
 * NEEDS_RESET; a reset makes the device as new.
 */
#ifndef DEVICES_VIRTIO_H
#define DEVICES_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>

#include "devices/device.h"
#include "devices/virtio_bits.h"
#include "devices/virtqueue.h"

#define VIRTIO_QUEUES	    8
#define VIRTIO_CONFIG_BYTES 64

struct virtio;

enum virtio_work {
	VIRTIO_DONE, /* no work is left, or ops->event will bring it */
	VIRTIO_MORE, /* enough for now: call again soon */
	VIRTIO_BROKEN /* the queue makes no sense: NEEDS_RESET */
};

/*
 * A kind of device. Everything but config and destroy is called on the I/O
 * thread, without locks, and may block on guest memory. NULL is allowed for
 * start, event, reset and config.
 */
struct virtio_ops {
	/* The driver is ready: v->accepted and the queues hold. 0 or -errno:
	 * NEEDS_RESET. */
	int (*start)(struct virtio *v);
	/* Queue @n is ready and may have chains: take some, at most its size,
	 * and give them back now or later. Called when the driver kicked, after
	 * each event, and after virtio_wake. */
	enum virtio_work (*queue)(struct virtio *v, unsigned n);
	/* v->event is readable. */
	enum virtio_work (*event)(struct virtio *v);
	/* Forget what is under way: from now on it must not touch guest memory
	 * or a queue. After each start, before the next. It may wait for the
	 * host to let go of guest memory, for nothing else. */
	void (*reset)(struct virtio *v);
	/* The driver writes @len bytes of config space, all within it; they go
	 * nowhere by themselves. On a vCPU thread, with the device's lock, so
	 * v->config may be written here. */
	void (*config)(struct virtio *v, unsigned offset, unsigned len,
		       uint64_t value);
	/* Free it. The thread has ended, the last call was reset. */
	void (*destroy)(struct virtio *v);
};

enum virtio_order {
	ORDER_NONE,
	ORDER_START,
	ORDER_RESET,
	ORDER_HALT, /* the driver has FAILED */
	ORDER_END
};

/* What a device is, before it is made. */
struct virtio_kind {
	const struct virtio_ops *ops;
	const char *name;
	enum virtio_id id;
	uint64_t features; /* beside those of the transport and the queues */
	unsigned queues;
	uint16_t queue_size; /* the most, a power of two <= VQ_SIZE_MAX */
};

/* What the vmm lends each device. */
struct virtio_host {
	struct stage2 *memory;
	/* A queue's: the VM was paused because a page cannot be had, and goes
	 * on. On the I/O thread; NULL: then that is an error at once. */
	bool (*again)(void *ctx);
	struct irq_line irq;
	/* Have 32-bit writes to QueueNotify count in the eventfd @kick, without
	 * a call of the device. Called at most once, on a vCPU thread. NULL or
	 * no success: the writes reach the device, which does the same. */
	void (*direct_kicks)(void *ctx, int kick);
	void *ctx; /* of both */
};

struct virtio_counters {
	_Atomic uint64_t requests, bytes, errors, needs_reset;
};

struct virtio {
	struct device device; /* on the bus */
	struct virtio_kind kind;
	struct virtio_host host;
	struct virtio_counters count;

	/* For ops, on the I/O thread: */
	uint64_t accepted; /* features */
	struct virtqueue queue[VIRTIO_QUEUES];
	int event; /* a descriptor to poll for ops->event; -1: none */

	/* Of virtio_io.c and virtio_mmio.c alone: */
	int kick; /* eventfd */
	pthread_t thread;
	bool live; /* between start and reset; the thread's */
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t obeyed; /* the thread has taken its order */
	enum virtio_order order;
	bool threaded; /* it has begun */
	uint32_t status, isr, generation;
	uint32_t device_sel, driver_sel, queue_sel;
	uint64_t wanted; /* features the driver wrote */
	struct virtio_latch {
		struct virtqueue queue; /* as the registers say */
		bool ready;
	} latch[VIRTIO_QUEUES];
	int level; /* of the interrupt line */
	unsigned config_bytes;
	uint8_t config[VIRTIO_CONFIG_BYTES];
};

/* Fill in @v, whose owner has allocated it. 0 or -errno. From then on
 * v->device.ops->destroy ends it, which is the bus's to call. */
int virtio_init(struct virtio *v, const struct virtio_kind *kind,
		const struct virtio_host *host);
/* The same for one of @bytes, zeros behind its struct virtio, which kind->ops
 * free: *out. */
int virtio_create(struct virtio **out, size_t bytes,
		  const struct virtio_kind *kind,
		  const struct virtio_host *host);
/* End the thread: from here on nothing is touched or counted. No vCPU runs any
 * more. Destroying the device does it, too. */
void virtio_stop(struct virtio *v);

/* Set config space: bytes [offset, offset + len) of at most
 * VIRTIO_CONFIG_BYTES. The driver hears of a change. Any thread, no lock. */
void virtio_config_set(struct virtio *v, unsigned offset, const void *from,
		       unsigned len);
/* The same the other way, and without a driver hearing of it. */
void virtio_config_get(struct virtio *v, unsigned offset, void *to,
		       unsigned len);

/* Have the I/O thread look at every queue. Any thread. */
void virtio_wake(struct virtio *v);

/* End a request: @written bytes of its chain, of which the driver hears when
 * the op returns. For ops; false: VIRTIO_BROKEN. */
bool virtio_give(struct virtio *v, unsigned n, uint16_t head, uint32_t written);
/* The same of @count chains at once. */
bool virtio_give_all(struct virtio *v, unsigned n, const struct vq_used *used,
		     unsigned count);

#endif
