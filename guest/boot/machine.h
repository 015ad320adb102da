/* SPDX-License-Identifier: MIT */
/*
 * What machine this is, copied out of the loader's structures: those are not
 * looked at again, but their memory is never handed out either.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/abi.h"
#include "guest/mm/addr.h"

#define MACHINE_RANGES 16u

/* A device: where, and its line of the IOAPIC. */
struct spot {
	bool there;
	pa_t at;
	unsigned line;
};

struct machine {
	struct range ram[MACHINE_RANGES];
	unsigned rams;
	struct range reserved[MACHINE_RANGES];
	unsigned reserveds;
	const char *cmdline; /* where the loader left it */
	bool zeroed; /* never-written RAM reads as zeros */
	uint16_t uart_port, exit_port;
	struct spot lab, dma, virtio[ABI_VIRTIO_SLOTS];
	unsigned virtios;
	struct spot console; /* what the kernel is to speak by */
	unsigned cpus;
	uint64_t tsc_hz; /* 0: unknown */
};
extern struct machine this_machine; /* this one */

/* Fill @m from the struct hvm_start_info at @start_info, or panic. */
void machine_read(struct machine *m, pa_t start_info);

/* The part that comes from the device tree at @blob. */
void machine_read_tree(struct machine *m, const void *blob);

void machine_add_ram(struct machine *m, uint64_t at, uint64_t bytes);
