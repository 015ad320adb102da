/* SPDX-License-Identifier: MIT */
/* free, buddyinfo, slabinfo, vmstat: the kernel's memory in numbers. */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/shell/tool.h"

static void row(const char *what, uint64_t frames)
{
	printf("%-22s %9lu frames %9lu KiB\n", what, frames, frames * 4);
}

int tool_free(int argc, char **argv)
{
	struct sys_counts c;
	int64_t error = kernel_counts(&c);

	(void)argc;
	if (error)
		return tool_fail(argv[0], "counts", error);
	row("total", all_frames());
	row("free", all_frames() - used_frames(&c));
	row("used", used_frames(&c));
	row("  page tables", c.frames_tables);
	row("  of no file", c.frames_anon);
	row("  of files", c.frames_file);
	row("  locked", c.frames_locked);
	row("swap", c.slots_total);
	row("  used", c.slots_used);
	return 0;
}

int tool_buddyinfo(int argc, char **argv)
{
	struct zone z;
	int64_t more;

	(void)argc;
	for (unsigned i = 0; (more = kernel_zone(i, &z)) == 1; i++) {
		printf("%-7s %#11lx-%#11lx free blocks of order 0 to %u:",
		       z.name, z.start, z.end, ZONE_ORDERS - 1);
		for (unsigned order = 0; order < ZONE_ORDERS; order++)
			printf(" %lu", z.free[order].count);
		printf("; %lu of %lu frames free, %lu never used\n",
		       zone_free(&z), z.managed, z.never_used);
	}
	return more ? tool_fail(argv[0], "zones", more) : 0;
}

int tool_slabinfo(int argc, char **argv)
{
	struct cache s;
	int64_t more;

	(void)argc;
	printf("%-20s %6s %6s %6s %6s\n", "CACHE", "BYTES", "USED", "TOTAL",
	       "FRAMES");
	for (unsigned i = 0; (more = kernel_cache(i, &s)) == 1; i++)
		printf("%-20s %6lu %6lu %6lu %6lu\n", s.name, s.object_bytes,
		       s.objects_used, cache_room(&s), s.frames);
	return more ? tool_fail(argv[0], "slabs", more) : 0;
}

int tool_vmstat(int argc, char **argv)
{
	struct sys_counts c;
	int64_t error = kernel_counts(&c);

	(void)argc;
	if (error)
		return tool_fail(argv[0], "counts", error);
	printf("faults %lu: demand zero %lu (%lu shared), demand file %lu, "
	       "copy on write %lu, stack %lu, swapped in %lu, refused %lu\n",
	       c.faults, c.demand_zero, c.zero_shared, c.demand_file, c.cow,
	       c.stack, c.swapped_in, c.refused);
	printf("copies %lu made, %lu saved\n", c.cow_copied, c.cow_reused);
	printf("lists: anonymous %lu active, %lu inactive; files %lu active, "
	       "%lu inactive; %lu locked\n",
	       c.lru[LRU_ANON][true].count, c.lru[LRU_ANON][false].count,
	       c.lru[LRU_FILE][true].count, c.lru[LRU_FILE][false].count,
	       c.frames_locked);
	printf("evicted %lu anonymous, %lu of files (%lu entries cleared), "
	       "%lu written back\n",
	       c.evicted_anon, c.evicted_file, c.unmapped_ptes, c.written_back);
	printf("swap %lu of %lu slots, %lu read, %lu written\n", c.slots_used,
	       c.slots_total, c.swap_reads, c.swap_writes);
	printf("disks %lu blocks read, %lu written; cache %lu hits, %lu "
	       "misses\n",
	       c.disk_reads, c.disk_writes, c.cache_hits, c.cache_misses);
	printf("switches %lu, shoot-downs %lu, killed for memory %lu\n",
	       c.switches, c.shootdowns, c.oom_kills);
	return 0;
}
