/* SPDX-License-Identifier: MIT */
/* A driver's side of a virtio device, for a fuzzer: registers and queues. */
#ifndef TESTS_FUZZ_VIRTIO_DRIVER_H
#define TESTS_FUZZ_VIRTIO_DRIVER_H

#include "devices/virtio_balloon.h"
#include "tests/fuzz/virtio_host.h"

#define SIZE 16u
/* Queues may lie here, one behind the other. */
#define QUEUES	  BALLOON_QUEUES
#define DESC(n)	  (0x1000u + (n)*0x200u)
#define DRIVER(n) (0x2000u + (n)*0x200u)
#define DEVICE(n) (0x3000u + (n)*0x200u)
#define BUFFERS	  0x4000u

static struct virtio *dev;

static inline uint64_t get_reg(uint64_t at, unsigned len)
{
	return dev->device.ops->read(&dev->device, at, len);
}

static inline void set_reg(uint64_t at, unsigned len, uint64_t value)
{
	dev->device.ops->write(&dev->device, at, len, value);
}

static inline void set(uint64_t at, uint32_t value)
{
	set_reg(at, 4, value);
}

static inline void negotiate(uint64_t features)
{
	set(VIRTIO_STATUS, 0);
	set(VIRTIO_STATUS, 1);
	set(VIRTIO_STATUS, 3);
	for (unsigned i = 0; i < 2; i++) {
		set(VIRTIO_DRIVER_FEATURES_SEL, i);
		set(VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
	}
	set(VIRTIO_STATUS, 11);
}

static inline void set_queue(unsigned n, uint32_t size)
{
	set(VIRTIO_QUEUE_SEL, n);
	set(VIRTIO_QUEUE_NUM, size);
	set(VIRTIO_QUEUE_DESC_LOW, DESC(n));
	set(VIRTIO_QUEUE_DRIVER_LOW, DRIVER(n));
	set(VIRTIO_QUEUE_DEVICE_LOW, DEVICE(n));
	set(VIRTIO_QUEUE_READY, 1);
}

static inline void bring_up(uint64_t features)
{
	negotiate(features | VIRTIO_F_VERSION_1);
	for (unsigned n = 0; n < QUEUES; n++)
		set_queue(n, SIZE);
	set(VIRTIO_STATUS, 15);
}

static inline void put16(uint64_t at, uint64_t value)
{
	uint16_t v = (uint16_t)value;

	guest_write(NULL, (gpa_t){ at }, &v, sizeof(v));
}

static inline uint16_t get16(uint64_t at)
{
	uint16_t v = 0;

	guest_read(NULL, (gpa_t){ at }, &v, sizeof(v));
	return v;
}

static inline void offer(unsigned n, uint64_t head)
{
	uint16_t idx = get16(DRIVER(n) + 2);

	put16(DRIVER(n) + 4 + idx % SIZE * 2, head);
	put16(DRIVER(n) + 2, idx + 1u);
}

static inline void put_desc(uint64_t table, uint64_t i, struct vq_desc d)
{
	guest_write(NULL, (gpa_t){ table + i * sizeof(d) }, &d, sizeof(d));
}

#endif
