/* SPDX-License-Identifier: MIT */
/*
 * PVH: what the loader leaves in memory (Xen, public/arch-x86/hvm/
 * start_info.h). EBX holds the address of struct hvm_start_info at entry.
 */
#pragma once

#include <stdint.h>

#define PVH_MAGIC 0x336ec578u
#define PVH_RAM	  1u

struct hvm_start_info {
	uint32_t magic;
	uint32_t version; /* 1: the memory map is there */
	uint32_t flags, modules;
	uint64_t modules_at, cmdline_at, rsdp_at, memmap_at;
	uint32_t memmap_entries, reserved;
};

struct hvm_module {
	uint64_t at, bytes, cmdline_at, reserved;
};

struct hvm_memmap {
	uint64_t at, bytes;
	uint32_t type, reserved;
};
