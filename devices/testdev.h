/* SPDX-License-Identifier: MIT */
/*
 * What kvm-unit-tests expect to find beside the exit port (QEMU calls it
 * pc-testdev): bytes that keep what was written, at ports and in memory, a
 * port that takes a page out of stage 2, and ports that are interrupt lines.
 */
#ifndef DEVICES_TESTDEV_H
#define DEVICES_TESTDEV_H

#include <stddef.h>

#include "devices/device.h"

#define TESTDEV_LATCH_PORT  0xe0
#define TESTDEV_LATCH_PORTS 4
#define TESTDEV_FLUSH_PORT  0xe4
#define TESTDEV_FLUSH_PORTS 4
#define TESTDEV_LINE_PORT   0x2000 /* and so on: a line each */
#define TESTDEV_LINE_PORTS  24
#define TESTDEV_RAM	    0xff000000u
#define TESTDEV_RAM_BYTES   0x10000u

/* Called on vCPU threads, maybe several at once. */
struct testdev_host {
	void (*flush)(void *ctx, uint64_t gpa);
	void (*line)(void *ctx, unsigned number, int level);
	void *ctx;
};

/* NULL: no memory. */
struct device *testdev_create_bytes(size_t n);
struct device *testdev_create_flush(const struct testdev_host *host);
struct device *testdev_create_lines(const struct testdev_host *host);

#endif
