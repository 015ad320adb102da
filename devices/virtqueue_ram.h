/* SPDX-License-Identifier: MIT */
/* Guest memory as a virtqueue reaches it: where it cannot be had, the vmm may
 * know that it soon can. For virtqueue*.c only. */
#ifndef DEVICES_VIRTQUEUE_RAM_H
#define DEVICES_VIRTQUEUE_RAM_H

#include "devices/virtqueue.h"

static inline gpa_t plus(gpa_t at, uint64_t offset)
{
	return (gpa_t){ at.v + offset };
}

/* No RAM is the guest's mistake; RAM that cannot be had is not. */
static inline bool again(const struct virtqueue *q, gpa_t at, size_t len)
{
	return q->again && guest_has(q->memory, at, len) && q->again(q->ctx);
}

static inline bool read_ram(const struct virtqueue *q, gpa_t at, void *to,
			    size_t len)
{
	while (!guest_read(q->memory, at, to, len))
		if (!again(q, at, len))
			return false;
	return true;
}

static inline bool write_ram(const struct virtqueue *q, gpa_t at,
			     const void *from, size_t len)
{
	while (!guest_write(q->memory, at, from, len))
		if (!again(q, at, len))
			return false;
	return true;
}

#endif
