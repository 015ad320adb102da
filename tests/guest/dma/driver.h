/* SPDX-License-Identifier: MIT */
/* As little of a virtio driver (virtio 1.2, 4.2) as a test needs: one request
 * at a time, polled for. */
#ifndef TESTS_GUEST_DMA_DRIVER_H
#define TESTS_GUEST_DMA_DRIVER_H

#include <stdint.h>

#include "devices/virtio_bits.h"
#include "tests/guest/virtio/say.h"

#define QUEUE 16u

struct queue {
	_Alignas(4096) struct vq_desc desc[QUEUE];
	struct {
		volatile uint16_t flags, idx;
		uint16_t ring[QUEUE], used_event;
	} avail;
	_Alignas(4) struct {
		volatile uint16_t flags, idx;
		struct vq_used ring[QUEUE];
		uint16_t avail_event;
	} used;
};

/* The registers of the first device of kind @id. */
volatile uint32_t *device_find(enum virtio_id id);
/* Take features @accept and queues [0, n). */
void device_start(volatile uint32_t *d, uint32_t accept, struct queue *q,
		  uint32_t n);
/* Lend queue @n one buffer to be read and one to be written; either may have
 * no bytes. */
void queue_lend(volatile uint32_t *d, struct queue *q, uint32_t n,
		const volatile void *read, uint32_t read_bytes,
		volatile void *write, uint32_t write_bytes);
/* Wait until all of it is back; how much was written. */
uint32_t queue_wait(struct queue *q);

#endif
