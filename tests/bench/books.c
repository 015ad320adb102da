/* SPDX-License-Identifier: MIT */
/*
 * books MIB [RESIDENT_MIB POLICY]: what stage 2 keeps about RAM of that size
 * once every page of it was touched, and, under a cap, was evicted and touched
 * again. Prints bytes of private memory, bytes of the process's page tables (the
 * kernel's, for two mappings), and nanoseconds a touch.
 *
 * Counted is all that the process then has more of the host than before stage
 * 2 was made, a moment after the last fault: table, lists, flight recorder,
 * the threads' stacks and what they keep of their buffers.
 * Not counted: guest RAM itself; and swap, which stands for no RAM but for
 * stored pages: its codecs, its records. (The pages here repeat one word, so
 * that swap has a record for each and no copy.)
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ept/record.h"
#include "ept/stage2.h"

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A line of such a file of /proc, in bytes. */
static long line_bytes(const char *path, const char *key)
{
	FILE *f = fopen(path, "r");
	char line[128];
	long kib = -1;

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = strtol(line + strlen(key), NULL, 10);
	if (kib < 0)
		errx(1, "no %s in %s", key, path);
	fclose(f);
	return kib * 1024;
}

/* Page by page, where RssAnon is only about right. */
static long private_bytes(void)
{
	return line_bytes("/proc/self/smaps_rollup", "Anonymous:");
}

static long table_bytes(void)
{
	return line_bytes("/proc/self/status", "VmPTE:");
}

static struct swap *swap_new(void)
{
	struct swap_config sc = { .tiers = 1 };
	struct swap *swap;

	if (tier_ram_create(&sc.tier[0], 0, CODEC_LZ4) ||
	    swap_create(&swap, &sc))
		errx(1, "no swap");
	return swap;
}

static void touch(struct stage2 *s, uint64_t page, bool whole)
{
	volatile uint64_t *to = stage2_host(s, (gfn_t){ page });

	for (unsigned i = 0; i < (whole ? PAGE_SIZE / sizeof(*to) : 1); i++)
		to[i] = page + 1;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc > 1 ? strtoul(argv[1], NULL, 10) << 8 : 0;
	bool capped = argc == 4;
	struct stage2_config c = {
		.region = { { { 0 }, pages } },
		.regions = 1,
		.limit = capped ? strtoul(argv[2], NULL, 10) << 8 : pages,
		.policy = capped ? policy_find(argv[3]) : &policy_clock,
		.paging = true,
		.vcpus = 1,
	};
	long anon, tables, records;
	struct stage2 *s;
	double start;

	if (!pages || !c.policy)
		errx(2, "books MIB [RESIDENT_MIB POLICY]");
	c.swap = swap_new();
	anon = private_bytes();
	tables = table_bytes();
	if (stage2_create(&s, &c))
		errx(1, "no stage 2 of %lu pages", pages);
	stage2_enter_vcpu(s);
	start = now_ns();
	for (uint64_t i = 0; i < pages; i++)
		touch(s, i, capped);
	start = now_ns() - start;
	for (uint64_t i = 0; capped && i < pages; i++)
		touch(s, i, false);
	usleep(300 * 1000); /* who has nothing to do gives its buffers back */
	records = (long)(swap_slots_used(c.swap) * sizeof(struct record));
	printf("%ld %ld %.0f\n", private_bytes() - anon - records,
	       table_bytes() - tables, start / (double)pages);
	stage2_stop(s);
	stage2_destroy(s);
	swap_destroy(c.swap);
	return 0;
}
