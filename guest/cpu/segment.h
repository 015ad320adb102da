/* SPDX-License-Identifier: MIT */
/*
 * What 64-bit mode leaves of segmentation: rings 0 and 3, and the task state
 * segment, which says where the stack of a trap from ring 3 begins.
 */
#ifndef GUEST_CPU_SEGMENT_H
#define GUEST_CPU_SEGMENT_H

#include <stdint.h>

#include "guest/cpu/selector.h"

/* SDM vol. 3, 8.7: the 64-bit TSS. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __attribute__((packed));

/* What lgdt and lidt read. */
struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#define GDT_ENTRIES 7

struct cpu;

/* Make @c's tables, and have this processor, which is @c, use them. */
void segment_init(struct cpu *c);

#endif
