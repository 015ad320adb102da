/* SPDX-License-Identifier: MIT */
/* Between a virtio device's registers (virtio_mmio.c) and its thread
 * (virtio_io.c). The lock is held by the caller of all functions but
 * virtio_destroy. */
#ifndef DEVICES_VIRTIO_IO_H
#define DEVICES_VIRTIO_IO_H

#include "devices/virtio.h"

/* virtio_mmio.c: what the bus calls; virtio.c: and its last call. */
extern const struct device_ops virtio_mmio_ops;
void virtio_destroy(struct device *d);

/* DRIVER_OK: the thread is to take the queues over. 0 or -errno. */
int virtio_order_start(struct virtio *v);
/* Status 0: the thread is to forget everything. Waits until it has, and drops
 * the lock meanwhile; then all registers are as after power-on. */
void virtio_order_reset(struct virtio *v);

/* Set bits of InterruptStatus, or clear them; the line follows. */
void virtio_isr_set(struct virtio *v, uint32_t bits);
void virtio_isr_clear(struct virtio *v, uint32_t bits);

/* The guest makes no sense: NEEDS_RESET, and an interrupt that says so. */
void virtio_needs_reset(struct virtio *v);

#endif
