/* SPDX-License-Identifier: MIT */
#include "tests/guest/dma/driver.h"

#include "guest/abi.h"

static void set_address(volatile uint32_t *low, const volatile void *at)
{
	low[0] = (uint32_t)(uintptr_t)at;
	low[1] = 0;
}

volatile uint32_t *device_find(enum virtio_id id)
{
	for (uint64_t i = 0; i < ABI_VIRTIO_SLOTS; i++) {
		volatile uint32_t *d =
			(volatile uint32_t *)(ABI_VIRTIO_BASE +
					      i * ABI_VIRTIO_SIZE);

		if (d[VIRTIO_MAGIC_VALUE / 4] == VIRTIO_MAGIC &&
		    d[VIRTIO_DEVICE_ID / 4] == id)
			return d;
	}
	want(0, 100 + (uint32_t)id, "no such device");
	return 0;
}

static void set_queue(volatile uint32_t *d, struct queue *q, uint32_t n)
{
	d[VIRTIO_QUEUE_SEL / 4] = n;
	d[VIRTIO_QUEUE_NUM / 4] = QUEUE;
	set_address(d + VIRTIO_QUEUE_DESC_LOW / 4, q->desc);
	set_address(d + VIRTIO_QUEUE_DRIVER_LOW / 4, &q->avail);
	set_address(d + VIRTIO_QUEUE_DEVICE_LOW / 4, &q->used);
	d[VIRTIO_QUEUE_READY / 4] = 1;
	want(d[VIRTIO_QUEUE_READY / 4] == 1, 90, "a queue");
	q->avail.flags = VQ_AVAIL_NO_INTERRUPT;
}

void device_start(volatile uint32_t *d, uint32_t accept, struct queue *q,
		  uint32_t n)
{
	volatile uint32_t *status = d + VIRTIO_STATUS / 4;

	*status = 0;
	*status |= VIRTIO_ACKNOWLEDGE;
	*status |= VIRTIO_DRIVER;
	d[VIRTIO_DRIVER_FEATURES_SEL / 4] = 0;
	d[VIRTIO_DRIVER_FEATURES / 4] = accept;
	d[VIRTIO_DRIVER_FEATURES_SEL / 4] = 1;
	d[VIRTIO_DRIVER_FEATURES / 4] = VIRTIO_F_VERSION_1 >> 32;
	*status |= VIRTIO_FEATURES_OK;
	want(*status & VIRTIO_FEATURES_OK, 91, "features");
	for (uint32_t i = 0; i < n; i++)
		set_queue(d, &q[i], i);
	*status |= VIRTIO_DRIVER_OK;
}

void queue_lend(volatile uint32_t *d, struct queue *q, uint32_t n,
		const volatile void *read, uint32_t read_bytes,
		volatile void *write, uint32_t write_bytes)
{
	uint16_t head = read_bytes ? 0 : 1;
	uint16_t slot = q->avail.idx % QUEUE;

	q->desc[0] = (struct vq_desc){ (uintptr_t)read, read_bytes,
				       write_bytes ? VQ_DESC_NEXT : 0, 1 };
	q->desc[1] = (struct vq_desc){ (uintptr_t)write, write_bytes,
				       VQ_DESC_WRITE, 0 };
	q->avail.ring[slot] = head;
	__asm__ volatile("" : : : "memory");
	q->avail.idx++;
	d[VIRTIO_QUEUE_NOTIFY / 4] = n;
}

uint32_t queue_wait(struct queue *q)
{
	while (q->used.idx != q->avail.idx)
		__asm__ volatile("pause");
	__asm__ volatile("" : : : "memory");
	return q->used.ring[(uint16_t)(q->used.idx - 1) % QUEUE].len;
}
