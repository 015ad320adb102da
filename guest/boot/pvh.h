/* SPDX-License-Identifier: MIT */
/*
 * PVH: what the loader leaves in memory (Xen, public/arch-x86/hvm/
 * start_info.h). EBX holds the address of struct hvm_start_info at entry.
 */
#ifndef GUEST_BOOT_PVH_H
#define GUEST_BOOT_PVH_H

#include <stdint.h>

#define PVH_MAGIC 0x336ec578u
#define PVH_RAM	  1u

struct hvm_start_info {
	uint32_t magic;
	uint32_t version; /* 1: the memory map is there */
	uint32_t flags;
	uint32_t modules;
	uint64_t modules_at;
	uint64_t cmdline_at;
	uint64_t rsdp_at;
	uint64_t memmap_at;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct hvm_module {
	uint64_t at;
	uint64_t bytes;
	uint64_t cmdline_at;
	uint64_t reserved;
};

struct hvm_memmap {
	uint64_t at;
	uint64_t bytes;
	uint32_t type;
	uint32_t reserved;
};

#endif
