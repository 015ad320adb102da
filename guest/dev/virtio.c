/* SPDX-License-Identifier: MIT */
/* The transport, the queues, and the table of drivers (virtio.h). */
#include "guest/dev/virtio.h"

#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/frame.h"
#include "guest/mm/table.h"
#include "guest/proc/sched.h"

/* Registers of the transport (4.2.2), by index: 32 bits each. */
enum {
	MAGIC = 0x000 / 4, /* "virt" */
	VERSION = 0x004 / 4,
	DEVICE_ID = 0x008 / 4, /* 0: nothing is there */
	DEVICE_FEATURES = 0x010 / 4,
	DEVICE_FEATURES_SEL = 0x014 / 4,
	DRIVER_FEATURES = 0x020 / 4,
	DRIVER_FEATURES_SEL = 0x024 / 4,
	QUEUE_SEL = 0x030 / 4,
	QUEUE_SIZE_MAX = 0x034 / 4,
	QUEUE_SIZE = 0x038 / 4,
	QUEUE_READY = 0x044 / 4,
	QUEUE_NOTIFY = 0x050 / 4,
	INTERRUPT_STATUS = 0x060 / 4,
	INTERRUPT_ACK = 0x064 / 4,
	STATUS = 0x070 / 4,
	QUEUE_DESCRIPTORS = 0x080 / 4, /* low and high word */
	QUEUE_AVAILABLE = 0x090 / 4,
	QUEUE_USED = 0x0a0 / 4,
	CONFIG = 0x100 / 4
};

enum {
	ACKNOWLEDGE = 1,
	DRIVER = 2,
	DRIVER_OK = 4,
	FEATURES_OK = 8,
	NEEDS_RESET = 64 /* it has met what it cannot do */
};

#define MAGIC_VALUE 0x74726976u
#define VERSION_1   (1ul << 32) /* the feature that is no choice */

#define QUEUE_MOST  32u /* descriptors */

struct virtq_descriptor {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags, next;
};

enum { PART_NEXT = 1, PART_WRITTEN = 2 };

struct virtqueue {
	struct virtq_descriptor descriptors[QUEUE_MOST];
	struct {
		uint16_t flags, index, ring[QUEUE_MOST];
	} available;
	struct {
		uint16_t flags, index;
		struct {
			uint32_t id, bytes;
		} ring[QUEUE_MOST];
	} used;
	struct virtio *device;
	unsigned index, size;
	bool taken; /* somebody has a request going */
};

static_assert(sizeof(struct virtqueue) <= PAGE_SIZE, "one frame");

static const struct virtio_driver *const drivers[] = {
	&virtio_blk,	 &virtio_console, &virtio_rng,
	&virtio_balloon, &virtio_iommu,
};

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

/* The kernel sees its own image, and all of memory. */
static uint64_t pa_of(const volatile void *at)
{
	uintptr_t va = (uintptr_t)at;

	return va - (va >= KERNEL_BASE ? KERNEL_BASE : DIRECT_BASE);
}

static void set_address(struct virtio *v, unsigned at, const void *to)
{
	v->registers[at] = (uint32_t)pa_of(to);
	v->registers[at + 1] = (uint32_t)(pa_of(to) >> 32);
}

static void on_interrupt(void *ctx)
{
	struct virtio *v = ctx;

	v->registers[INTERRUPT_ACK] = v->registers[INTERRUPT_STATUS];
	v->failed = v->registers[STATUS] & NEEDS_RESET;
	wake(v);
}

/* The device may look as soon as the index says that there is more. */
void virtqueue_lend(struct virtqueue *q, const struct virtio_part *parts,
		    unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		q->descriptors[i] = (struct virtq_descriptor){
			.at = pa_of(parts[i].at),
			.bytes = (uint32_t)parts[i].bytes,
			.flags = (i + 1 < n ? PART_NEXT : 0) |
				 (parts[i].written ? PART_WRITTEN : 0),
			.next = (uint16_t)(i + 1),
		};
	__atomic_fetch_add(&q->available.index, 1, __ATOMIC_RELEASE);
	q->device->registers[QUEUE_NOTIFY] = q->index;
}

int64_t virtqueue_run(struct virtqueue *q, const struct virtio_part *parts,
		      unsigned n)
{
	int64_t written;

	while (q->taken)
		sleep_on(q->device);
	q->taken = true;
	virtqueue_lend(q, parts, n);
	while ((written = virtqueue_back(q)) < 0 && !q->device->failed)
		sleep_on(q->device);
	q->taken = false;
	wake(q->device);
	return written < 0 ? -EIO : written;
}

int64_t virtqueue_back(struct virtqueue *q)
{
	uint16_t done = __atomic_load_n(&q->used.index, __ATOMIC_ACQUIRE);

	if (done != q->available.index)
		return -EAGAIN;
	return q->used.ring[(done - 1) % q->size].bytes;
}

/* The features that both know; 0: one that must be is not there. */
static uint64_t agree(struct virtio *v, const struct virtio_driver *d)
{
	const uint64_t needs = d->needs | VERSION_1;
	uint64_t both = 0;

	for (unsigned i = 0; i < 2; i++) {
		uint32_t ours = (uint32_t)((d->knows | needs) >> 32 * i);

		v->registers[DEVICE_FEATURES_SEL] = i;
		v->registers[DRIVER_FEATURES_SEL] = i;
		ours &= v->registers[DEVICE_FEATURES];
		v->registers[DRIVER_FEATURES] = ours;
		both |= (uint64_t)ours << 32 * i;
	}
	return (both & needs) == needs ? both : 0;
}

/* NULL: it does not have that queue. */
static struct virtqueue *queue_new(struct virtio *v, unsigned index)
{
	struct frame *f;
	struct virtqueue *q;
	uint32_t size;

	v->registers[QUEUE_SEL] = index;
	size = v->registers[QUEUE_SIZE_MAX];
	if (size < VIRTIO_PARTS)
		return NULL;
	f = frame_alloc(FRAME_DMA);
	if (!f)
		panic("no memory for a queue");
	q = frame_bytes(f);
	q->device = v;
	q->index = index;
	q->size = size < QUEUE_MOST ? size : QUEUE_MOST;
	v->registers[QUEUE_SIZE] = q->size;
	set_address(v, QUEUE_DESCRIPTORS, q->descriptors);
	set_address(v, QUEUE_AVAILABLE, &q->available);
	set_address(v, QUEUE_USED, &q->used);
	v->registers[QUEUE_READY] = 1;
	return q;
}

/* 3.1.1: the order is the specification's. */
static void start(struct virtio *v, const struct virtio_driver *d,
		  const struct spot *where)
{
	v->registers[STATUS] = 0;
	v->registers[STATUS] = ACKNOWLEDGE;
	v->registers[STATUS] = ACKNOWLEDGE | DRIVER;
	v->features = agree(v, d);
	v->registers[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK;
	if (!v->features || !(v->registers[STATUS] & FEATURES_OK)) {
		v->registers[STATUS] = 0;
		return;
	}
	for (unsigned i = 0; i < VIRTQUEUES; i++)
		if (d->queues >> i & 1)
			v->queues[i] = queue_new(v, i);
	irq_connect(where, on_interrupt, v);
	v->registers[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
	d->start(v);
}

void virtio_init(void)
{
	static struct virtio devices[ABI_VIRTIO_SLOTS];

	for (unsigned i = 0; i < this_machine.virtios; i++) {
		const struct spot *where = &this_machine.virtio[i];
		struct virtio *v = &devices[i];
		uint32_t id;

		v->registers = mmio_map(where->at);
		v->config = v->registers + CONFIG;
		v->is_console = where->at.v == this_machine.console.at.v;
		if (v->registers[MAGIC] != MAGIC_VALUE ||
		    v->registers[VERSION] != 2)
			continue;
		id = v->registers[DEVICE_ID];
		for (unsigned d = 0; d < DRIVERS; d++)
			if (drivers[d]->id == id)
				start(v, drivers[d], where);
	}
}
