/* SPDX-License-Identifier: MIT */
/*
 * Linux's own protocol, its 64-bit part (Documentation/arch/x86/boot.rst,
 * zero-page.rst): the zero page, a GDT, and page tables that map the kernel
 * and what it is given onto themselves.
 */
#include <string.h>

#include "vmm/boot.h"

#define LOADER_UNKNOWN 0xff
#define VIDEO_NORMAL   0xffff

/* Page-table bits: SDM volume 3, 4.5. */
#define PRESENT_WRITE 0x3u
#define LARGE	      0x80u

#define ENTRIES	      512u

static_assert(sizeof(struct boot_params) == PAGE_SIZE, "the zero page");
static_assert(BOOT_IDENTITY == ENTRIES << 21, "one page directory maps it");

static void fill_zero_page(struct boot_params *p, const struct boot_config *c)
{
	struct boot_range map[BOOT_MAP];
	unsigned n = boot_map(map, c->ram);

	*p = (struct boot_params){ .hdr = c->image->setup,
				   .acpi_rsdp_addr = BOOT_ACPI };
	p->hdr.type_of_loader = LOADER_UNKNOWN;
	p->hdr.vid_mode = VIDEO_NORMAL;
	p->hdr.cmd_line_ptr = BOOT_CMDLINE_AT;
	p->hdr.ramdisk_image = (uint32_t)c->image->initrd_at.v;
	p->hdr.ramdisk_size = (uint32_t)c->image->initrd_bytes;
	for (unsigned i = 0; i < n; i++)
		p->e820_table[i] =
			(struct boot_e820_entry){ map[i].at, map[i].bytes,
						  map[i].type };
	p->e820_entries = (uint8_t)n;
}

static bool write_tables(const struct boot_memory *m, struct complaint *why)
{
	uint64_t table[3][ENTRIES] = { 0 };

	table[0][0] = (BOOT_TABLES + PAGE_SIZE) | PRESENT_WRITE;
	table[1][0] = (BOOT_TABLES + 2 * PAGE_SIZE) | PRESENT_WRITE;
	for (unsigned i = 0; i < ENTRIES; i++)
		table[2][i] = (uint64_t)i << 21 | LARGE | PRESENT_WRITE;
	return boot_put(m, BOOT_TABLES, table, sizeof(table), why);
}

static bool write_gdt(const struct boot_memory *m, struct complaint *why)
{
	/* flat, present, ring 0: 64-bit code; data */
	static const uint64_t gdt[] = {
		[BOOT_CODE / 8] = 0x00af9b000000ffff,
		[BOOT_DATA / 8] = 0x00cf93000000ffff,
	};

	return boot_put(m, BOOT_GDT, gdt, sizeof(gdt), why);
}

static bool check_cmdline(const struct boot_config *c, struct complaint *why)
{
	size_t len = strlen(c->cmdline);
	uint32_t most = c->image->setup.cmdline_size;

	return len <= most ||
	       complaint_set(why,
			     "the guest's command line has %zu bytes; this "
			     "kernel takes %u",
			     len, most);
}

bool boot_linux(const struct boot_config *c, const struct boot_memory *m,
		struct boot_cpu *cpu, struct complaint *why)
{
	struct boot_params zero_page;

	fill_zero_page(&zero_page, c);
	*cpu = (struct boot_cpu){ .rip = c->image->entry,
				  .rsi = BOOT_START_INFO,
				  .cr3 = BOOT_TABLES };
	return check_cmdline(c, why) && write_tables(m, why) &&
	       write_gdt(m, why) &&
	       boot_put(m, BOOT_START_INFO, &zero_page, sizeof(zero_page), why);
}
