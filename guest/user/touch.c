/* SPDX-License-Identifier: MIT */
/*
 * touch SIZE seq|random [map]: what a first touch costs in the second stage
 * alone. The kernel gives all frames at once, so that no stage-1 fault is left;
 * then each page is written once, and the TSC says how long that took. With
 * map it then says where each page lies, for who has seen the faults.
 */
#include <stdint.h>

#include "guest/cpu/cpu.h"
#include "guest/lib/string.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/progress.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"

#define PAGE 4096ul
#define SOME \
	16ul /* pages after which it looks whether to tell: what it times
		   * is to be the pages */

static int usage(void)
{
	printf("touch: SIZE seq|random [map] (SIZE: a power of two, 64K to "
	       "1G)\n");
	return 2;
}

/* A bijection of [0, 2^@bits): odd factors and shifts lose nothing. */
static uint64_t scatter(uint64_t n, unsigned bits)
{
	uint64_t mask = (1ul << bits) - 1;

	for (unsigned round = 0; round < 2; round++) {
		n = n * 0x9e3779b97f4a7c15 & mask;
		n ^= n >> (bits / 2);
	}
	return n;
}

/* Write each of 2^@bits pages once. The ticks it took. */
static uint64_t touch_all(volatile uint8_t *memory, unsigned bits, bool seq)
{
	uint64_t start = rdtsc();
	struct progress told = { .told = start };

	for (uint64_t n = 0; n < 1ul << bits; n++) {
		memory[(seq ? n : scatter(n, bits)) * PAGE] = 1;
		if (n % SOME == SOME - 1)
			progress(&told, SOME);
	}
	start = rdtsc() - start;
	progress_tell(&told, 0);
	return start;
}

static void print_map(int64_t at, uint64_t pages)
{
	int64_t pid = sys_getpid();
	struct walk w;

	printf("touch: this is process %ld\n", pid);
	for (uint64_t n = 0; n < pages; n++)
		if (walk(pid, (uint64_t)at + n * PAGE, &w) >= 0 && w.found)
			printf("page %#lx %#lx\n", (uint64_t)at + n * PAGE,
			       w.pa);
}

int main(int argc, char **argv)
{
	struct sys_info info;
	uint64_t bytes, pages, ticks;
	int64_t at;
	bool seq, map = argc == 4 && streq(argv[3], "map");

	if (argc != 3 + map || !parse_size(argv[1], &bytes) ||
	    bytes < 16 * PAGE || bytes > 1ul << 30 || (bytes & (bytes - 1)))
		return usage();
	seq = streq(argv[2], "seq");
	if (!seq && !streq(argv[2], "random"))
		return usage();
	pages = bytes / PAGE;
	at = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_POPULATE);
	if (at < 0) {
		printf("touch: %s do not fit into this machine's memory\n",
		       argv[1]);
		return 2;
	}
	ticks = touch_all((volatile uint8_t *)at,
			  (unsigned)__builtin_ctzl(pages), seq);
	sys_info(&info);
	printf("touch: %lu pages, %s, %lu ticks, %lu ns a page\n", pages,
	       argv[2], ticks,
	       info.tsc_hz ? ticks / pages * 1000 / (info.tsc_hz / 1000000)
			   : 0);
	if (map)
		print_map(at, pages);
	return 0;
}
