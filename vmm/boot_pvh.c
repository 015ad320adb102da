/* SPDX-License-Identifier: MIT */
/* PVH's start info; it and the lists it points to are one struct on one page.
 * The device tree comes as a module. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/pvh.h"

/* Linux takes the first module as its initrd, so the tree is the second. */
enum module { MODULE_INITRD, MODULE_TREE, MODULES };

struct start {
	struct pvh_start_info info;
	struct pvh_module module[MODULES];
	struct pvh_memory memory[BOOT_MAP];
	char tree_cmdline[8];
};

static_assert(sizeof(struct start) <= PAGE_SIZE, "it has one page");
static_assert(sizeof(ABI_FDT_MODULE) <= 8, "fits tree_cmdline");

/* Where a member of the struct start lies in guest memory. */
#define START_AT(member) (BOOT_START_INFO + offsetof(struct start, member))

static uint32_t memory_map(struct pvh_memory *to, const struct ram *ram)
{
	struct boot_range map[BOOT_MAP];
	unsigned n = boot_map(map, ram);

	for (unsigned i = 0; i < n; i++)
		to[i] = (struct pvh_memory){ map[i].at, map[i].bytes,
					     map[i].type, 0 };
	return n;
}

static void start_fill(struct start *s, const struct boot_config *c,
		       uint64_t tree_bytes)
{
	*s = (struct start){
		.info = {
			.magic = PVH_MAGIC,
			.version = PVH_VERSION,
			.modules = MODULES,
			.module_list = START_AT(module),
			.cmdline = BOOT_CMDLINE_AT,
			.rsdp = c->lab ? 0 : BOOT_ACPI,
			.memory_map = START_AT(memory),
		},
		.module[MODULE_INITRD] = {
			.at = c->image->initrd_at.v,
			.bytes = c->image->initrd_bytes,
		},
		.module[MODULE_TREE] = {
			.at = BOOT_TREE_AT,
			.bytes = tree_bytes,
			.cmdline = START_AT(tree_cmdline),
		},
		.tree_cmdline = ABI_FDT_MODULE,
	};
	s->info.memory_map_entries = memory_map(s->memory, c->ram);
}

static bool write_tree(const struct boot_config *c, const struct boot_memory *m,
		       size_t *bytes, struct complaint *why)
{
	void *tree = malloc(BOOT_TREE);
	int size = tree ? devtree_build(tree, BOOT_TREE, c) : -ENOMEM;
	bool good;

	if (size < 0)
		good = complaint_set(why, "device tree: %s", strerror(-size));
	else
		good = boot_put(m, BOOT_TREE_AT, tree, (size_t)size, why);
	free(tree);
	*bytes = (size_t)size;
	return good;
}

/* The state: Xen, docs/misc/pvh.pandoc. */
bool boot_pvh(const struct boot_config *c, const struct boot_memory *m,
	      struct boot_cpu *cpu, struct complaint *why)
{
	struct start start;
	size_t tree_bytes;

	if (!write_tree(c, m, &tree_bytes, why))
		return false;
	start_fill(&start, c, tree_bytes);
	*cpu = (struct boot_cpu){ .rip = c->image->entry,
				  .rbx = BOOT_START_INFO };
	return boot_put(m, BOOT_START_INFO, &start, sizeof(start), why);
}
