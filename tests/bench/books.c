/* SPDX-License-Identifier: MIT */
/*
 * books MIB: what stage 2 keeps about RAM of that size once every page of it
 * was touched. Prints bytes of private memory, bytes of the process's page
 * tables (the kernel's, for two mappings), and nanoseconds a touch.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ept/stage2.h"

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A line of /proc/self/status, in bytes. */
static long status_bytes(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (f && kib < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kib = strtol(line + strlen(key), NULL, 10);
	if (kib < 0)
		errx(1, "no %s in /proc/self/status", key);
	fclose(f);
	return kib * 1024;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc == 2 ? strtoul(argv[1], NULL, 10) << 8 : 0;
	struct stage2_config c = {
		.region = { { { 0 }, pages } },
		.regions = 1,
		.limit = pages,
		.policy = &policy_clock,
		.file = STDIN_FILENO, /* without extents it is never read */
		.paging = true,
		.vcpus = 1,
	};
	long anon = status_bytes("RssAnon:"), tables = status_bytes("VmPTE:");
	struct swap_config sc = { .tiers = 1 };
	struct stage2 *s;
	double start;

	if (!pages)
		errx(2, "MIB");
	if (tier_ram_create(&sc.tier[0], 0, CODEC_LZ4) ||
	    swap_create(&c.swap, &sc) || stage2_create(&s, &c))
		errx(1, "no stage 2 of %lu pages", pages);
	stage2_enter_vcpu(s);
	start = now_ns();
	for (uint64_t g = 0; g < pages; g++)
		*(volatile uint8_t *)stage2_host(s, (gfn_t){ g }) = 1;
	start = now_ns() - start;
	printf("%ld %ld %.0f\n", status_bytes("RssAnon:") - anon,
	       status_bytes("VmPTE:") - tables, start / (double)pages);
	stage2_stop(s);
	stage2_destroy(s);
	swap_destroy(c.swap);
	return 0;
}
