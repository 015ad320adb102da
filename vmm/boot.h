/* SPDX-License-Identifier: MIT */
/*
 * What the guest finds in memory when it starts, all below 1 MiB: how its image
 * wants to be told about the machine (PVH, Linux, multiboot), the command
 * line, the device tree or ACPI's tables.
 *
 *   0x01000  PVH's struct hvm_start_info, Linux's struct boot_params or the
 *            multiboot information, with their lists
 *   0x02000  command line, at most BOOT_CMDLINE bytes with its NUL
 *   0x06000  Linux: a GDT
 *   0x07000  Linux: page tables that map the first GiB onto itself
 *   0x10000  device tree, at most BOOT_TREE bytes
 *   0xff000  ACPI's tables, where one also looks for them unasked, and at its
 *            end what a PC begins with: it resets the machine
 *
 * An image that multiboot starts may lie there too, from BOOT_LOW up to the VGA
 * memory and the ROMs of a PC: nothing of the above is its there.
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/image.h"
#include "vmm/share.h"

#define BOOT_START_INFO 0x1000u
#define BOOT_CMDLINE_AT 0x2000u
#define BOOT_CMDLINE	0x4000u
#define BOOT_GDT	0x6000u
#define BOOT_TABLES	0x7000u
#define BOOT_TREE_AT	0x10000u
#define BOOT_TREE	0x10000u
#define BOOT_ACPI	0xff000u
#define BOOT_ACPI_BYTES 0xff0u
#define BOOT_LOW	BOOT_GDT
#define BOOT_LOW_END	0xa0000u

/* How much a 64-bit kernel finds mapped onto itself. */
#define BOOT_IDENTITY (UINT64_C(1) << 30)

/* Selectors of the first state, and what they are in the GDT. */
#define BOOT_CODE 0x10u
#define BOOT_DATA 0x18u

struct boot_config {
	const struct ram *ram;
	const struct shares *shares; /* NULL: none */
	const struct image *image;
	const char *cmdline; /* "": the default for such an image */
	unsigned cpus;
	uint64_t tsc_hz; /* 0: unknown */
	bool lab; /* is there a lab device? */
	bool suspend; /* is there S3? */
	unsigned virtio; /* virtio devices, in as many first slots */
	unsigned disks; /* among them */
	unsigned console; /* 1 + the slot of the console; 0: it is the UART */
};

/* How boot_write reaches guest memory. */
struct boot_memory {
	bool (*write)(void *ctx, gpa_t at, const void *from, size_t len);
	void *ctx;
};

/* With what vCPU 0 begins: flat segments, interrupts off. */
struct boot_cpu {
	uint64_t rip, rax, rbx, rsi;
	uint64_t cr3; /* 0: 32-bit protected mode without paging; else 64-bit */
};

/* RAM and what is none, as all three protocols tell it. */
enum boot_memory_type { BOOT_RAM = 1, BOOT_RESERVED = 2 };
#define BOOT_MAP 4

struct boot_range {
	uint64_t at, bytes;
	enum boot_memory_type type;
};

unsigned boot_map(struct boot_range map[BOOT_MAP], const struct ram *ram);

/* Bytes into guest memory below 1 MiB. False: one line in *why. */
bool boot_put(const struct boot_memory *m, uint64_t at, const void *from,
	      size_t len, struct complaint *why);

/* How a kernel is told: one file each. False: one line in *why. */
typedef bool boot_writer(const struct boot_config *c,
			 const struct boot_memory *m, struct boot_cpu *cpu,
			 struct complaint *why);
boot_writer boot_pvh, boot_linux, boot_multiboot;

/*
 * The device tree, by libfdt, into @to[@room]: memory, CPUs, interrupt
 * controllers, every device of guest/abi.h. Its size, or -errno.
 */
int devtree_build(void *to, size_t room, const struct boot_config *c);

/* Write everything above into guest memory, and say how vCPU 0 begins. False:
 * one line in *why. */
bool boot_write(const struct boot_config *c, struct boot_memory memory,
		struct boot_cpu *cpu, struct complaint *why);

#endif
