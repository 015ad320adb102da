/* SPDX-License-Identifier: MIT */
/* The multiboot information, with the initrd as a module; all on one page. */
#include <stdio.h>

#include "vmm/boot.h"
#include "vmm/multiboot.h"

struct start {
	struct multiboot_info info;
	struct multiboot_module module;
	struct multiboot_memory memory[BOOT_MAP];
	char none[4]; /* the module's command line */
};

static_assert(sizeof(struct start) <= PAGE_SIZE, "it has one page");

#define START_AT(member) \
	(uint32_t)(BOOT_START_INFO + offsetof(struct start, member))

static void start_fill(struct start *s, const struct boot_config *c)
{
	const struct image *im = c->image;
	struct boot_range map[BOOT_MAP];
	unsigned n = boot_map(map, c->ram);

	*s = (struct start){
		.info = {
			.flags = MULTIBOOT_INFO_MEMORY |
				 MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MAP,
			.mem_lower = (uint32_t)(map[0].bytes >> 10),
			.mem_upper = (uint32_t)(map[2].bytes >> 10),
			.cmdline = BOOT_CMDLINE_AT,
			.mmap_length = n * sizeof(s->memory[0]),
			.mmap_addr = START_AT(memory),
		},
		.module = {
			.start = (uint32_t)im->initrd_at.v,
			.end = (uint32_t)(im->initrd_at.v + im->initrd_bytes),
			.cmdline = START_AT(none),
		},
	};
	for (unsigned i = 0; i < n; i++)
		s->memory[i] =
			(struct multiboot_memory){ sizeof(s->memory[0]) - 4,
						   map[i].at, map[i].bytes,
						   map[i].type };
	if (!im->initrd_bytes)
		return;
	s->info.flags |= MULTIBOOT_INFO_MODULES;
	s->info.mods_count = 1;
	s->info.mods_addr = START_AT(module);
}

/* Its first word is the kernel's name, as all loaders have it. */
static bool write_cmdline(const struct boot_config *c,
			  const struct boot_memory *m, struct complaint *why)
{
	static const char name[] = "kernel ";
	char line[BOOT_CMDLINE];
	int len = snprintf(line, sizeof(line), "%s%s", name, c->cmdline);

	return len < (int)sizeof(line)
		       ? boot_put(m, BOOT_CMDLINE_AT, line, (size_t)len + 1,
				  why)
		       : complaint_set(why,
				       "the guest's command line has %d bytes; "
				       "at most %zu are possible",
				       len - (int)sizeof(name) + 1,
				       sizeof(line) - sizeof(name));
}

bool boot_multiboot(const struct boot_config *c, const struct boot_memory *m,
		    struct boot_cpu *cpu, struct complaint *why)
{
	struct start start;

	start_fill(&start, c);
	*cpu = (struct boot_cpu){ .rip = c->image->entry,
				  .rax = MULTIBOOT_BOOT_MAGIC,
				  .rbx = BOOT_START_INFO };
	return write_cmdline(c, m, why) &&
	       boot_put(m, BOOT_START_INFO, &start, sizeof(start), why);
}
