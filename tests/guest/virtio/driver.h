/* SPDX-License-Identifier: MIT */
/*
 * The least that a driver of virtio-mmio devices needs (virtio 1.2, 4.2): one
 * vCPU, level-triggered interrupts through the IOAPIC, split queues without
 * features. An address is a pointer: memory is mapped to itself.
 */
#ifndef TESTS_GUEST_VIRTIO_DRIVER_H
#define TESTS_GUEST_VIRTIO_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "devices/virtio_bits.h"
#include "guest/abi.h"
#include "tests/guest/virtio/say.h"

#define RING 16u

struct ring {
	_Alignas(16) struct vq_desc desc[RING];
	struct {
		volatile uint16_t flags, idx;
		uint16_t ring[RING], used_event;
	} avail;
	_Alignas(4) struct {
		volatile uint16_t flags, idx;
		struct vq_used ring[RING];
		uint16_t avail_event;
	} used;
};

struct driver {
	unsigned slot;
	volatile uint32_t *reg; /* indexed by offset / 4 */
	volatile uint32_t interrupts;
};

/* Once, before any device. */
void interrupts_on(void);
/* Find the first device of that kind and bring it up, with its @queues first
 * queues at @ring and @features of the first 32. */
void driver_start(struct driver *d, enum virtio_id id, uint32_t features,
		  struct ring *ring, unsigned queues);
void driver_check(const struct driver *d, uint32_t step);
/* Make the chain at @head available. */
void driver_offer(struct ring *r, uint16_t head);
void driver_kick(const struct driver *d, unsigned n);
/* Sleep until more than @used buffers ever came back. */
void driver_wait_past(const struct ring *r, uint16_t used);
/* Kick queue @n, and sleep until all that was offered came back. */
void driver_wait(struct driver *d, unsigned n, const struct ring *r);

/* The tests. */
void test_disk(void);
void test_random(void);
void test_console(void);

#endif
