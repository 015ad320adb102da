/* SPDX-License-Identifier: MIT */
/* maps, pagemap: a process's areas, and one page of it, entry by entry. */
#include "guest/mm/pte.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/shell/tool.h"

static const char *kind_name(const struct area_info *v)
{
	switch (v->kind) {
	case VMA_STACK:
		return "[stack]";
	case VMA_GATE:
		return "[gate]";
	case VMA_SHARED:
		return "[shared]";
	default:
		return "";
	}
}

static void print_area(const struct area_info *v)
{
	printf("%012lx-%012lx %c%c%c%c %8lx %6lu pages, %lu here", v->start,
	       v->end, v->prot & PROT_READ ? 'r' : '-',
	       v->prot & PROT_WRITE ? 'w' : '-',
	       v->prot & PROT_EXEC ? 'x' : '-',
	       v->flags & MAP_SHARED ? 's' : 'p', v->offset,
	       (v->end - v->start) / 4096, v->resident);
	if (v->swapped)
		printf(", %lu in swap", v->swapped);
	if (v->locked)
		printf(", locked");
	printf(" %s\n", v->name[0] ? v->name : kind_name(v));
}

int tool_maps(int argc, char **argv)
{
	struct area_info v = { 0 };
	int64_t more;
	uint64_t pid;

	if (argc != 2 || !parse_number(argv[1], &pid)) {
		printf("maps: PID\n");
		return 2;
	}
	while ((more = area_info((int64_t)pid, v.end, &v)) == 1)
		print_area(&v);
	return more ? tool_fail(argv[0], argv[1], more) : 0;
}

static const struct {
	uint64_t bit;
	const char *name;
} bits[] = {
	{ PTE_P, "P" },	    { PTE_W, "W" },	{ PTE_U, "U" },
	{ PTE_PWT, "PWT" }, { PTE_PCD, "PCD" }, { PTE_A, "A" },
	{ PTE_D, "D" },	    { PTE_PS, "PS" },	{ PTE_G, "G" },
	{ PTE_NX, "NX" },
};

static void print_entry(unsigned level, uint64_t at, uint64_t entry)
{
	static const char *const tables[] = { "PGD", "PUD", "PMD", "PT" };

	printf("%-3s at %#lx: %#018lx", tables[level], at, entry);
	for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (entry & bits[i].bit && entry & PTE_P)
			printf(" %s", bits[i].name);
	printf("\n");
}

static const char *const uses[] = {
	[FRAME_NONE] = "no RAM",	 [FRAME_RESERVED] = "reserved",
	[FRAME_UNUSED] = "never used",	 [FRAME_FREE] = "free",
	[FRAME_TABLE] = "page table",	 [FRAME_ANON] = "anonymous",
	[FRAME_FILE] = "of a file",	 [FRAME_SLAB] = "slab",
	[FRAME_KERNEL] = "the kernel's", [FRAME_DMA] = "DMA",
};

static void print_frame(uint64_t pa)
{
	struct frame f;

	if (kernel_frame(pa, &f) || f.use >= sizeof(uses) / sizeof(uses[0]))
		return;
	printf("frame %#lx: %s, held by %u, in %u entries", pa & ~0xffful,
	       uses[f.use], f.count, f.maps);
	printf("%s%s%s%s\n", f.flags & FRAME_DIRTY ? ", dirty" : "",
	       f.flags & FRAME_ACTIVE ? ", active" : "",
	       f.flags & FRAME_LOCKED ? ", locked" : "",
	       f.slot ? ", in swap too" : "");
}

int tool_pagemap(int argc, char **argv)
{
	uint64_t pid, at;
	struct walk w;
	int64_t error;

	if (argc != 3 || !parse_number(argv[1], &pid) ||
	    !parse_number(argv[2], &at)) {
		printf("pagemap: PID ADDRESS\n");
		return 2;
	}
	error = walk((int64_t)pid, at, &w);
	if (error < 0)
		return tool_fail(argv[0], argv[1], error);
	for (unsigned i = 0; i < w.entries; i++)
		print_entry(i, w.entry_pa[i], w.entry[i]);
	if (w.found)
		print_frame(w.pa);
	else
		printf("%#lx is not mapped\n", at);
	return 0;
}
