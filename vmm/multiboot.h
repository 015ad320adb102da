/* SPDX-License-Identifier: MIT */
/* The Multiboot Specification, version 0.6.96: an image's header, and what
 * the guest finds. All addresses are guest-physical. */
#ifndef VMM_MULTIBOOT_H
#define VMM_MULTIBOOT_H

#include <assert.h>
#include <stdint.h>

#define MULTIBOOT_HEADER_MAGIC 0x1badb002u
#define MULTIBOOT_BOOT_MAGIC   0x2badb002u /* in EAX */
#define MULTIBOOT_SEARCH       8192u /* it lies within the first bytes */

enum multiboot_header_flag {
	MULTIBOOT_ALIGN = 1 << 0, /* modules at page borders: they always are */
	MULTIBOOT_MEMORY = 1 << 1, /* it wants to know: it always does */
	MULTIBOOT_VIDEO = 1 << 2, /* a graphics mode */
	MULTIBOOT_REQUIRED = 0xffff, /* what it cannot do without */
	MULTIBOOT_ADDRESSES = 1 << 16 /* the header says what to load */
};

struct multiboot_header {
	uint32_t magic, flags, checksum; /* their sum is 0 */
	/* with MULTIBOOT_ADDRESSES */
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr,
		entry_addr;
};

enum multiboot_info_flag {
	MULTIBOOT_INFO_MEMORY = 1 << 0,
	MULTIBOOT_INFO_CMDLINE = 1 << 2,
	MULTIBOOT_INFO_MODULES = 1 << 3,
	MULTIBOOT_INFO_MAP = 1 << 6
};

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB from 0, and from 1 MiB on */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr; /* bytes */
};

struct multiboot_module {
	uint32_t start, end, cmdline, reserved;
};

struct multiboot_memory {
	uint32_t size; /* of what follows */
	uint64_t at, bytes;
	uint32_t type; /* 1: RAM */
} __attribute__((packed));

static_assert(sizeof(struct multiboot_info) == 52, "up to mmap_addr");
static_assert(sizeof(struct multiboot_memory) == 24, "as the text has it");

#endif
