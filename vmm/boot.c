/* SPDX-License-Identifier: MIT */
/* What the guest finds when it starts; vmm/boot.h has the map. */
#include "vmm/boot.h"

#include <stdio.h>
#include <string.h>

#include "devices/power.h"
#include "vmm/acpi.h"

#define MIB	     0x100000u
#define RESET_VECTOR 0xffff0u

static_assert(BOOT_START_INFO + PAGE_SIZE <= BOOT_CMDLINE_AT &&
		      BOOT_CMDLINE_AT + BOOT_CMDLINE <= BOOT_GDT &&
		      BOOT_GDT + PAGE_SIZE <= BOOT_TABLES &&
		      BOOT_TABLES + 3 * PAGE_SIZE <= BOOT_TREE_AT &&
		      BOOT_TREE_AT + BOOT_TREE <= BOOT_LOW_END &&
		      BOOT_ACPI >= BOOT_LOW_END &&
		      BOOT_ACPI + BOOT_ACPI_BYTES <= RESET_VECTOR,
	      "no part lies over another");

unsigned boot_map(struct boot_range map[BOOT_MAP], const struct ram *ram)
{
	unsigned n = 0;

	map[n++] = (struct boot_range){ 0, BOOT_LOW_END, BOOT_RAM };
	map[n++] = (struct boot_range){ BOOT_LOW_END, MIB - BOOT_LOW_END,
					BOOT_RESERVED };
	map[n++] =
		(struct boot_range){ MIB, ram->range[0].bytes - MIB, BOOT_RAM };
	if (ram->ranges > 1)
		map[n++] = (struct boot_range){ ram->range[1].base.v,
						ram->range[1].bytes, BOOT_RAM };
	return n;
}

bool boot_put(const struct boot_memory *m, uint64_t at, const void *from,
	      size_t len, struct complaint *why)
{
	return m->write(m->ctx, (gpa_t){ at }, from, len) ||
	       complaint_set(why,
			     "cannot write boot data at guest address %#lx",
			     (unsigned long)at);
}

/* What a Linux without a command line of its own is told: speak to the
 * terminal, end the run when it panics, and use the disk that is there. */
static void default_cmdline(char *to, size_t room, const struct boot_config *c)
{
	bool root = c->disks && !c->image->initrd_bytes;

	*to = 0;
	if (c->image->linux_kernel)
		snprintf(to, room, "console=%s panic=-1%s",
			 c->console ? "hvc0" : "ttyS0",
			 root ? " root=/dev/vda rw" : "");
}

/*
 * The bundled guest has the device tree. Linux with reduced ACPI and no EFI
 * restarts by a jump to the reset vector, in real mode.
 */
static bool write_acpi(const struct boot_config *c, const struct boot_memory *m,
		       struct complaint *why)
{
	static const uint8_t reset[] = {
		0xb0, POWER_RESET, /* mov al */
		0xe6, POWER_RESET_PORT, /* out */
		0xf4, 0xeb,
		0xfd, /* hlt, and again */
	};
	uint8_t tables[BOOT_ACPI_BYTES];

	if (c->lab)
		return true;
	return boot_put(m, BOOT_ACPI, tables, acpi_build(tables, c), why) &&
	       boot_put(m, RESET_VECTOR, reset, sizeof(reset), why);
}

static boot_writer *const protocols[BOOT_PROTOCOLS] = {
	[BOOT_PVH] = boot_pvh,
	[BOOT_LINUX] = boot_linux,
	[BOOT_MULTIBOOT] = boot_multiboot,
};

bool boot_write(const struct boot_config *config, struct boot_memory memory,
		struct boot_cpu *cpu, struct complaint *why)
{
	struct boot_config c = *config;
	char standard[64];
	size_t len;

	if (!*c.cmdline) {
		default_cmdline(standard, sizeof(standard), &c);
		c.cmdline = standard;
	}
	len = strlen(c.cmdline);
	if (len >= BOOT_CMDLINE)
		return complaint_set(why,
				     "the guest's command line has %zu bytes; "
				     "at most %u are possible",
				     len, BOOT_CMDLINE - 1);
	if (!ram_contains(c.ram, (gpa_t){ 0 }, MIB))
		return complaint_set(why, "guest memory is below 1M");
	return boot_put(&memory, BOOT_CMDLINE_AT, c.cmdline, len + 1, why) &&
	       write_acpi(&c, &memory, why) &&
	       protocols[c.image->protocol](&c, &memory, cpu, why);
}
