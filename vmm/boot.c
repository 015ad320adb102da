/* SPDX-License-Identifier: MIT */
/*
 * What the guest finds when it starts; vmm/boot.h has the map. The start info
 * and the lists it points to are one struct on one page.
 */
#include "vmm/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/pvh.h"

#define LEGACY_HOLE 0xa0000u /* VGA memory and ROMs on a PC */
#define MIB	    0x100000u

/* Linux takes the first module as its initrd, so the tree is the second. */
enum module { MODULE_INITRD, MODULE_TREE, MODULES };

struct start {
	struct pvh_start_info info;
	struct pvh_module module[MODULES];
	struct pvh_memory memory[4];
	char tree_cmdline[8];
};

static_assert(sizeof(struct start) <= PAGE_SIZE, "it has one page");
static_assert(BOOT_START_INFO + PAGE_SIZE <= BOOT_CMDLINE_AT &&
		      BOOT_CMDLINE_AT + BOOT_CMDLINE <= BOOT_TREE_AT &&
		      BOOT_TREE_AT + BOOT_TREE <= LEGACY_HOLE,
	      "no part lies over another");
static_assert(sizeof(ABI_FDT_MODULE) <= 8, "fits tree_cmdline");

/* Where a member of the struct start lies in guest memory. */
#define START_AT(member) (BOOT_START_INFO + offsetof(struct start, member))

static uint32_t memory_map(struct pvh_memory *map, const struct ram *ram)
{
	uint32_t n = 0;

	map[n++] = (struct pvh_memory){ 0, LEGACY_HOLE, PVH_RAM, 0 };
	map[n++] = (struct pvh_memory){ LEGACY_HOLE, MIB - LEGACY_HOLE,
					PVH_RESERVED, 0 };
	map[n++] = (struct pvh_memory){ MIB, ram->range[0].bytes - MIB, PVH_RAM,
					0 };
	if (ram->ranges > 1)
		map[n++] =
			(struct pvh_memory){ ram->range[1].base.v,
					     ram->range[1].bytes, PVH_RAM, 0 };
	return n;
}

static void start_fill(struct start *s, const struct ram *ram,
		       uint64_t tree_bytes)
{
	*s = (struct start){
		.info = {
			.magic = PVH_MAGIC,
			.version = PVH_VERSION,
			.modules = MODULES,
			.module_list = START_AT(module),
			.cmdline = BOOT_CMDLINE_AT,
			.memory_map = START_AT(memory),
		},
		.module[MODULE_TREE] = {
			.at = BOOT_TREE_AT,
			.bytes = tree_bytes,
			.cmdline = START_AT(tree_cmdline),
		},
		.tree_cmdline = ABI_FDT_MODULE,
	};
	s->info.memory_map_entries = memory_map(s->memory, ram);
}

static bool put(struct boot_memory m, uint64_t at, const void *from, size_t len,
		struct complaint *why)
{
	return m.write(m.ctx, (gpa_t){ at }, from, len) ||
	       complaint_set(why,
			     "cannot write boot data at guest address %#lx",
			     (unsigned long)at);
}

static bool write_tree(const struct boot_config *c, struct boot_memory m,
		       size_t *bytes, struct complaint *why)
{
	void *tree = malloc(BOOT_TREE);
	int size = tree ? devtree_build(tree, BOOT_TREE, c) : -ENOMEM;
	bool good;

	if (size < 0)
		good = complaint_set(why, "device tree: %s", strerror(-size));
	else
		good = put(m, BOOT_TREE_AT, tree, (size_t)size, why);
	free(tree);
	*bytes = (size_t)size;
	return good;
}

bool boot_write(const struct boot_config *c, struct boot_memory memory,
		struct complaint *why)
{
	size_t cmdline_bytes = strlen(c->cmdline) + 1, tree_bytes;
	struct start start;

	if (cmdline_bytes > BOOT_CMDLINE)
		return complaint_set(why,
				     "the guest's command line has %zu bytes; "
				     "at most %u are possible",
				     cmdline_bytes - 1, BOOT_CMDLINE - 1);
	if (!ram_contains(c->ram, (gpa_t){ 0 }, MIB))
		return complaint_set(why, "guest memory is below 1M");
	if (!write_tree(c, memory, &tree_bytes, why))
		return false;
	start_fill(&start, c->ram, tree_bytes);
	return put(memory, BOOT_START_INFO, &start, sizeof(start), why) &&
	       put(memory, BOOT_CMDLINE_AT, c->cmdline, cmdline_bytes, why);
}
