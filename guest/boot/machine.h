/* SPDX-License-Identifier: MIT */
/*
 * What machine this is, copied out of the loader's structures: those are not
 * looked at again, but their memory is never handed out either.
 */
#pragma once

#include "guest/abi.h"
#include "guest/mm/addr.h"

#define MACHINE_RANGES	16u
#define RESERVED_RANGES (MACHINE_RANGES + 2) /* mm/zone.c adds two */

/* A device: where, in memory or for some by its port, and its line of the
 * IOAPIC: level-triggered, or else by its rising edge. */
struct spot {
	bool there;
	pa_t at;
	unsigned line;
	bool level;
};

struct machine {
	struct range ram[MACHINE_RANGES];
	unsigned rams;
	struct range reserved[RESERVED_RANGES]; /* never handed out */
	unsigned reserveds;
	const char *cmdline; /* where the loader left it */
	bool zeroed; /* never-written RAM reads as zeros */
	struct spot uart, exit, ioapic, lab, dma, virtio[ABI_VIRTIO_SLOTS];
	unsigned virtios;
	struct spot console; /* what the kernel is to speak by */
	unsigned cpus;
	uint64_t tsc_hz; /* 0: unknown */
};
extern struct machine this_machine; /* this one */

/* Fill it from the struct hvm_start_info at @start_info, or panic. */
void machine_read(pa_t start_info);

/* The part that comes from the device tree at @blob. */
void machine_read_tree(const void *blob);

void machine_add_ram(uint64_t at, uint64_t bytes);
