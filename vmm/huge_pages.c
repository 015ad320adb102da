/* SPDX-License-Identifier: MIT */
#include "vmm/huge_pages.h"

#include <stdlib.h>

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"

long huge_pages_free(void)
{
	FILE *f = fopen(POOL "free_hugepages", "re");
	long n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

static void make(uint64_t pages)
{
	FILE *f = fopen(POOL "nr_hugepages", "we");

	if (!f)
		return;
	fprintf(f, "%llu\n", (unsigned long long)pages);
	fclose(f);
}

bool huge_pages_ready(uint64_t bytes, struct complaint *why)
{
	uint64_t need = bytes / LARGE_PAGE;
	long have;

	if (getenv("TWOFOLD_CAPSULE"))
		make(need);
	have = huge_pages_free();
	if (have >= 0 && (uint64_t)have >= need)
		return true;
	return complaint_set(why,
			     "guest memory needs %llu huge pages of 2 MiB, "
			     "%ld are free: add to " POOL "nr_hugepages",
			     (unsigned long long)need, have < 0 ? 0 : have);
}
