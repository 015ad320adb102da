/* SPDX-License-Identifier: MIT */
/*
 * One address space of devices: ports or MMIO. A short sorted table; wired
 * before the first vCPU runs and constant from then on, so readers need no
 * lock. Addresses without a device read as all ones and ignore writes; each is
 * counted, and the first, second, fourth, eighth and so on is told of: however
 * many there are, that is not a flood.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stdatomic.h>
#include <stdint.h>

#include "devices/device.h"

#define BUS_DEVICES 32

struct bus {
	const char *name; /* "port" or "mmio", for messages */
	/* The @count-th access that met no device was at @at. Any vCPU's
	 * thread; NULL: nobody wants to know. */
	void (*unknown_at)(void *ctx, const struct bus *b, uint64_t at,
			   uint64_t count);
	void *ctx;
	struct bus_range {
		uint64_t base, size;
		struct device *device;
	} range[BUS_DEVICES];
	unsigned ranges;
	struct device *added[BUS_DEVICES]; /* one a range, in order of wiring */
	_Atomic uint64_t unknown; /* accesses that met no device */
};

/* The bus owns @d from now on, which may have several ranges. 0; -EEXIST when
 * [base, base + size) meets another; -ENOSPC; -EINVAL when empty or wrapping. */
int bus_add(struct bus *b, struct device *d, uint64_t base, uint64_t size);

/*
 * An access of @len <= 8 bytes. One that crosses the end of a range is split
 * into bytes, each an access of its own; so is one of 3, 5, 6 or 7 bytes, as
 * KVM makes them of an access that crosses a page.
 */
uint64_t bus_read(struct bus *b, uint64_t at, unsigned len);
void bus_write(struct bus *b, uint64_t at, unsigned len, uint64_t value);

/* Destroy the devices, last added first. */
void bus_destroy(struct bus *b);

#endif
