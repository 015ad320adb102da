/* SPDX-License-Identifier: MIT */
/*
 * What the guest finds in memory when it starts: PVH's struct hvm_start_info,
 * its memory map, the command line and the device tree, all below 1 MiB.
 *
 *   0x01000  struct hvm_start_info, module list, memory map
 *   0x02000  command line, at most BOOT_CMDLINE bytes with its NUL
 *   0x10000  device tree, at most BOOT_TREE bytes
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/share.h"

#define BOOT_START_INFO 0x1000u
#define BOOT_CMDLINE_AT 0x2000u
#define BOOT_CMDLINE	0x4000u
#define BOOT_TREE_AT	0x10000u
#define BOOT_TREE	0x10000u

struct boot_config {
	const struct ram *ram;
	const struct shares *shares; /* NULL: none */
	const char *cmdline;
	unsigned cpus;
	uint64_t tsc_hz; /* 0: unknown */
	bool lab; /* is there a lab device? */
	unsigned virtio; /* virtio devices, in as many first slots */
	unsigned console; /* 1 + the slot of the console; 0: it is the UART */
};

/* How boot_write reaches guest memory. */
struct boot_memory {
	bool (*write)(void *ctx, gpa_t at, const void *from, size_t len);
	void *ctx;
};

/*
 * The device tree, by libfdt, into @to[@room]: memory, CPUs, interrupt
 * controllers, every device of guest/abi.h. Its size, or -errno.
 */
int devtree_build(void *to, size_t room, const struct boot_config *c);

/* Write everything above into guest memory. False: one line in *why. */
bool boot_write(const struct boot_config *c, struct boot_memory memory,
		struct complaint *why);

#endif
