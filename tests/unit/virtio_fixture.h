/* SPDX-License-Identifier: MIT */
/* Guest memory without KVM and without faults, and a driver's side of a split
 * virtqueue in it. */
#ifndef TESTS_UNIT_VIRTIO_FIXTURE_H
#define TESTS_UNIT_VIRTIO_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "devices/virtio.h"
#include "ept/stage2.h"

#define RAM_PAGES 4096u /* 16 MiB, in two halves */
#define HIGH	  (UINT64_C(4) << 30) /* where the second begins */
#define LOW_END	  (RAM_PAGES / 2 * PAGE_SIZE)
#define HOLE	  UINT64_C(0xd0000000)

/* Where the tests put a queue of up to VQ_SIZE_MAX, and buffers. */
#define DESC	UINT64_C(0x10000)
#define DRIVER	UINT64_C(0x20000)
#define DEVICE	UINT64_C(0x30000)
#define TABLE	UINT64_C(0x40000) /* indirect descriptors */
#define BUFFERS UINT64_C(0x100000)

static struct stage2 *ram;

static inline void ram_make(void)
{
	const struct stage2_config c = {
		.region = { { { 0 }, RAM_PAGES / 2 },
			    { { HIGH >> PAGE_SHIFT }, RAM_PAGES / 2 } },
		.regions = 2,
		.limit = RAM_PAGES,
		.policy = policies[0],
		.vcpus = 1,
	};

	assert_int_equal(stage2_create(&ram, &c), 0);
}

static inline void ram_free(void)
{
	stage2_stop(ram);
	stage2_destroy(ram);
}

static inline void put(uint64_t at, const void *from, size_t len)
{
	assert_true(guest_write(ram, (gpa_t){ at }, from, len));
}

static inline void get(uint64_t at, void *to, size_t len)
{
	assert_true(guest_read(ram, (gpa_t){ at }, to, len));
}

static inline void put16(uint64_t at, unsigned value)
{
	uint16_t v = (uint16_t)value;

	put(at, &v, sizeof(v));
}

static inline uint16_t get16(uint64_t at)
{
	uint16_t v;

	get(at, &v, sizeof(v));
	return v;
}

/* Descriptor @i of the table at @table. */
static inline void put_desc(uint64_t table, unsigned i, uint64_t at,
			    uint32_t len, unsigned flags, unsigned next)
{
	struct vq_desc d = { at, len, (uint16_t)flags, (uint16_t)next };

	put(table + i * sizeof(d), &d, sizeof(d));
}

/* Make @head available in the queue of @size, behind all others. */
static inline void offer(unsigned size, unsigned head)
{
	uint16_t idx = get16(DRIVER + 2);

	put16(DRIVER + 4 + idx % size * 2, head);
	put16(DRIVER + 2, idx + 1u);
}

static inline uint16_t used_idx(void)
{
	return get16(DEVICE + 2);
}

static inline struct vq_used used_entry(unsigned i)
{
	struct vq_used u;

	get(DEVICE + 4 + i * sizeof(u), &u, sizeof(u));
	return u;
}

static inline void clear_queue(void)
{
	static const uint8_t zeros[0x10000];

	put(DESC, zeros, sizeof(zeros));
	put(DRIVER, zeros, sizeof(zeros));
	put(DEVICE, zeros, sizeof(zeros));
	put(TABLE, zeros, sizeof(zeros));
}

/* An interrupt line that can be waited for. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	int level;
	unsigned edges;
} line = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static inline void set_line(void *ctx, int level)
{
	assert_ptr_equal(ctx, &line);
	pthread_mutex_lock(&line.lock);
	assert_int_not_equal(line.level, level); /* changes only */
	line.level = level;
	line.edges += (unsigned)level;
	pthread_cond_broadcast(&line.moved);
	pthread_mutex_unlock(&line.lock);
}

/* Wait for the line to be high; a test that waits for ever fails by its
 * runner's time-out. */
static inline void wait_for_line(void)
{
	pthread_mutex_lock(&line.lock);
	while (!line.level)
		pthread_cond_wait(&line.moved, &line.lock);
	pthread_mutex_unlock(&line.lock);
}

static inline int line_level(void)
{
	int level;

	pthread_mutex_lock(&line.lock);
	level = line.level;
	pthread_mutex_unlock(&line.lock);
	return level;
}

static inline struct virtio_host test_host(void)
{
	return (struct virtio_host){ .memory = ram,
				     .irq = { set_line, &line } };
}

/* The driver's registers. */
static struct virtio *dev;

static inline uint32_t reg(uint64_t offset)
{
	return (uint32_t)dev->device.ops->read(&dev->device, offset, 4);
}

static inline void set(uint64_t offset, uint32_t value)
{
	dev->device.ops->write(&dev->device, offset, 4, value);
}

static inline void set_address(uint64_t low, uint64_t at)
{
	set(low, (uint32_t)at);
	set(low + 4, (uint32_t)(at >> 32));
}

/* Up to FEATURES_OK, with VERSION_1 and @features. */
static inline void negotiate(uint64_t features)
{
	features |= VIRTIO_F_VERSION_1;
	set(VIRTIO_STATUS, 0);
	set(VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE);
	set(VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (unsigned i = 0; i < 2; i++) {
		set(VIRTIO_DRIVER_FEATURES_SEL, i);
		set(VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32 * i));
	}
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_FEATURES_OK);
}

static inline void set_queue(unsigned n, unsigned size)
{
	set(VIRTIO_QUEUE_SEL, n);
	set(VIRTIO_QUEUE_NUM, size);
	set_address(VIRTIO_QUEUE_DESC_LOW, DESC);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, DRIVER);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, DEVICE);
	set(VIRTIO_QUEUE_READY, 1);
}

static inline void driver_ok(void)
{
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_DRIVER_OK);
}

/* All of it: queue @n, the only one, of @size and DRIVER_OK. */
static inline void bring_up_queue(unsigned n, uint64_t features, unsigned size)
{
	clear_queue();
	negotiate(features);
	set_queue(n, size);
	driver_ok();
}

static inline void bring_up(uint64_t features, unsigned size)
{
	bring_up_queue(0, features, size);
}

/* Wait for an interrupt and acknowledge it: its InterruptStatus. */
static inline uint32_t interrupt(void)
{
	uint32_t isr;

	wait_for_line();
	isr = reg(VIRTIO_INTERRUPT_STATUS);
	set(VIRTIO_INTERRUPT_ACK, isr);
	return isr;
}

static inline void destroy(void)
{
	dev->device.ops->destroy(&dev->device);
	line.level = 0;
}

#endif
