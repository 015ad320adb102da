/* SPDX-License-Identifier: MIT */
#include "guest/dev/virtio.h"

#include <assert.h>

#include "guest/dev/balloon.h"
#include "guest/dev/iommu.h"
#include "guest/dev/irq.h"
#include "guest/dev/virtio_blk.h"
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/proc/sleep.h"

/* Registers of the transport (4.2.2), 32 bits each. */
enum {
	MAGIC = 0x000, /* "virt" */
	VERSION = 0x004,
	DEVICE_ID = 0x008, /* 0: nothing is there */
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_SIZE_MAX = 0x034,
	QUEUE_SIZE = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESCRIPTORS = 0x080, /* low and high word */
	QUEUE_AVAILABLE = 0x090,
	QUEUE_USED = 0x0a0,
	CONFIG = 0x100
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

/* Rings of this size (or less) fit a frame together. */
#define QUEUE_MOST 64u

struct virtq_descriptor {
	uint64_t at;
	uint32_t bytes;
	uint16_t flags, next;
};

enum { PART_NEXT = 1, PART_WRITTEN = 2 };

struct virtq_available {
	uint16_t flags, index, ring[QUEUE_MOST];
};

struct virtq_used {
	uint16_t flags, index;
	struct {
		uint32_t id, bytes;
	} ring[QUEUE_MOST];
};

struct rings {
	struct virtq_descriptor descriptors[QUEUE_MOST];
	struct virtq_available available;
	struct virtq_used used;
};

static_assert(sizeof(struct rings) <= PAGE_SIZE, "one frame");

static const struct {
	uint32_t id;
	int (*start)(struct virtio *v);
} drivers[] = {
	{ VIRTIO_BLK, virtio_blk_start },
	{ VIRTIO_BALLOON, balloon_start },
	{ VIRTIO_IOMMU, iommu_start },
};

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

static uint32_t get(struct virtio *v, unsigned at)
{
	return *(volatile uint32_t *)(v->registers + at);
}

static void set(struct virtio *v, unsigned at, uint32_t value)
{
	*(volatile uint32_t *)(v->registers + at) = value;
}

static void set_address(struct virtio *v, unsigned at, const void *to)
{
	uint64_t pa = (uintptr_t)to - DIRECT_BASE;

	set(v, at, (uint32_t)pa);
	set(v, at + 4, (uint32_t)(pa >> 32));
}

uint32_t virtio_config(struct virtio *v, unsigned at)
{
	return get(v, CONFIG + at);
}

void virtio_set_config(struct virtio *v, unsigned at, uint32_t value)
{
	set(v, CONFIG + at, value);
}

static uint64_t device_features(struct virtio *v)
{
	uint64_t low;

	set(v, DEVICE_FEATURES_SEL, 0);
	low = get(v, DEVICE_FEATURES);
	set(v, DEVICE_FEATURES_SEL, 1);
	return (uint64_t)get(v, DEVICE_FEATURES) << 32 | low;
}

/* 3.1.1: the order is the specification's. */
bool virtio_begin(struct virtio *v, uint64_t wanted)
{
	v->features = device_features(v) & (wanted | VERSION_1);
	set(v, DRIVER_FEATURES_SEL, 0);
	set(v, DRIVER_FEATURES, (uint32_t)v->features);
	set(v, DRIVER_FEATURES_SEL, 1);
	set(v, DRIVER_FEATURES, (uint32_t)(v->features >> 32));
	set(v, STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	return v->features & VERSION_1 && get(v, STATUS) & FEATURES_OK;
}

int virtqueue_init(struct virtqueue *q, struct virtio *v, unsigned index,
		   unsigned chain)
{
	struct frame *f = frame_alloc(FRAME_KERNEL);
	struct rings *rings;
	uint32_t size;

	set(v, QUEUE_SEL, index);
	size = get(v, QUEUE_SIZE_MAX);
	size = size < QUEUE_MOST ? size : QUEUE_MOST;
	if (!f || size < chain) {
		if (f)
			frame_put(f);
		return f ? -ENODEV : -ENOMEM;
	}
	rings = direct(frame_pa(f));
	*q = (struct virtqueue){
		.device = v,
		.index = index,
		.slots = size / chain,
		.chain = chain,
		.descriptors = rings->descriptors,
		.available = &rings->available,
		.used = &rings->used,
	};
	set(v, QUEUE_SIZE, size);
	q->size = size;
	set_address(v, QUEUE_DESCRIPTORS, rings->descriptors);
	set_address(v, QUEUE_AVAILABLE, &rings->available);
	set_address(v, QUEUE_USED, &rings->used);
	set(v, QUEUE_READY, 1);
	v->queues[index] = q;
	return 0;
}

/* What the device has used since we looked last. */
static void take_used(struct virtqueue *q)
{
	uint16_t until = __atomic_load_n(&q->used->index, __ATOMIC_ACQUIRE);

	for (; q->used_seen != until; q->used_seen++) {
		uint32_t slot =
			q->used->ring[q->used_seen % q->size].id / q->chain;

		if (slot < q->slots)
			q->done |= 1ul << slot;
	}
	wake(q);
}

static void on_interrupt(void *ctx)
{
	struct virtio *v = ctx;

	set(v, INTERRUPT_ACK, get(v, INTERRUPT_STATUS));
	v->failed = get(v, STATUS) & NEEDS_RESET;
	for (unsigned i = 0; i < VIRTQUEUES; i++)
		if (v->queues[i])
			take_used(v->queues[i]);
	wake(v);
}

void virtio_go(struct virtio *v)
{
	irq_connect(v->line, on_interrupt, v);
	set(v, STATUS, get(v, STATUS) | DRIVER_OK);
}

unsigned virtqueue_take(struct virtqueue *q)
{
	uint64_t all = q->slots == 64 ? ~0ul : (1ul << q->slots) - 1;
	unsigned slot;

	while (q->taken == all)
		sleep_on(q);
	slot = (unsigned)__builtin_ctzl(~q->taken);
	q->taken |= 1ul << slot;
	return slot;
}

void virtqueue_free(struct virtqueue *q, unsigned slot)
{
	q->taken &= ~(1ul << slot);
	wake(q);
}

/* The device may look as soon as the index says that there is more. */
void virtqueue_lend(struct virtqueue *q, unsigned slot,
		    const struct virtio_part *parts, unsigned n)
{
	unsigned head = slot * q->chain;
	struct virtq_available *a = q->available;

	for (unsigned i = 0; i < n; i++)
		q->descriptors[head + i] = (struct virtq_descriptor){
			.at = parts[i].at.v,
			.bytes = parts[i].bytes,
			.flags = (i + 1 < n ? PART_NEXT : 0) |
				 (parts[i].written ? PART_WRITTEN : 0),
			.next = (uint16_t)(head + i + 1),
		};
	q->done &= ~(1ul << slot);
	a->ring[a->index % q->size] = (uint16_t)head;
	__atomic_store_n(&a->index, (uint16_t)(a->index + 1), __ATOMIC_RELEASE);
	set(q->device, QUEUE_NOTIFY, q->index);
}

void virtqueue_run(struct virtqueue *q, unsigned slot,
		   const struct virtio_part *parts, unsigned n)
{
	virtqueue_lend(q, slot, parts, n);
	while (!virtqueue_is_done(q, slot) && !q->device->failed)
		sleep_on(q);
}

static void start(struct virtio *v, uint32_t id)
{
	int error = -ENODEV;

	set(v, STATUS, 0);
	set(v, STATUS, ACKNOWLEDGE);
	set(v, STATUS, ACKNOWLEDGE | DRIVER);
	for (unsigned i = 0; i < DRIVERS; i++)
		if (drivers[i].id == id)
			error = drivers[i].start(v);
	if (error)
		set(v, STATUS, 0);
}

void virtio_init(const struct machine *m)
{
	for (unsigned i = 0; i < m->virtios; i++) {
		static struct virtio devices[ABI_VIRTIO_SLOTS];
		struct virtio *v = &devices[i];
		pa_t at = m->virtio[i].at;
		uint32_t id;

		v->registers = (volatile uint8_t *)mmio_map(
				       (pa_t){ page_down(at.v) }, PAGE_SIZE) +
			       page_offset(at.v);
		v->line = m->virtio[i].line;
		id = get(v, DEVICE_ID);
		if (get(v, MAGIC) == MAGIC_VALUE && get(v, VERSION) == 2 && id)
			start(v, id);
	}
}
