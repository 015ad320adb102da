/* SPDX-License-Identifier: MIT */
/*
 * The PVH boot ABI: what EBX points to when the guest starts. All fields are
 * little-endian; all addresses guest-physical. Source: Xen's public headers
 * arch-x86/hvm/start_info.h and elfnote.h.
 */
#ifndef VMM_PVH_H
#define VMM_PVH_H

#include <assert.h>
#include <stdint.h>

#define PVH_MAGIC   0x336ec578u /* "xEn3" with bit 7 of the E set */
#define PVH_VERSION 1u /* 1: there is a memory map */

/* The ELF note whose descriptor is the entry point. */
#define PVH_NOTE_NAME "Xen"
#define PVH_NOTE_TYPE 18u /* XEN_ELFNOTE_PHYS32_ENTRY */

struct pvh_start_info {
	uint32_t magic, version;
	uint32_t flags;
	uint32_t modules; /* entries of the module list */
	uint64_t module_list;
	uint64_t cmdline; /* of the kernel; 0: none */
	uint64_t rsdp; /* ACPI; 0: none */
	uint64_t memory_map;
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t at, bytes;
	uint64_t cmdline; /* 0: none */
	uint64_t reserved;
};

enum pvh_memory_type { PVH_RAM = 1, PVH_RESERVED = 2 };

struct pvh_memory {
	uint64_t at, bytes;
	uint32_t type; /* enum pvh_memory_type */
	uint32_t reserved;
};

static_assert(sizeof(struct pvh_start_info) == 56, "as Xen has it");
static_assert(sizeof(struct pvh_module) == 32, "as Xen has it");
static_assert(sizeof(struct pvh_memory) == 24, "as Xen has it");

#endif
