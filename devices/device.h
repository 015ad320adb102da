/* SPDX-License-Identifier: MIT */
/*
 * What a device is to the bus: a name, a range, and how to read and write it.
 * Called from vCPU threads, several at once: a device locks for itself, and
 * never waits for the guest. An access is 1, 2, 4 or 8 bytes and lies within
 * the range; a value is in the low bytes, little-endian. What a device does
 * not know reads as 0 and ignores writes.
 */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include <stdint.h>

struct device;

struct device_ops {
	const char *name;
	uint64_t (*read)(struct device *d, uint64_t offset, unsigned len);
	void (*write)(struct device *d, uint64_t offset, unsigned len,
		      uint64_t value);
	void (*destroy)(struct device *d);
};

struct device {
	const struct device_ops *ops;
};

/* An interrupt line that the vmm lends a device; set may be called from any
 * thread. */
struct irq_line {
	void (*set)(void *ctx, int level);
	void *ctx;
};

#endif
