/* SPDX-License-Identifier: MIT */
/* demo.h, the part for demonstrations that look at stage 2. */
#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

/* Ticks until the balloon must be as large as it should: three seconds. */
#define PATIENCE 300u

bool demo_has_lab(struct demo *d)
{
	if (demo_info().lab)
		return true;
	demo_skip(d, "no lab device (not under twofold)");
	return false;
}

/* The device answers into a page. */
static char answer[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

uint64_t demo_lab(struct demo *d, enum lab_command command, uint64_t arg)
{
	int64_t result = sys_lab(command, arg, answer);

	demo_true(d, result >= 0);
	return (uint64_t)result;
}

bool demo_has_host_swap(struct demo *d, volatile uint64_t *page)
{
	*page = 1;
	if (sys_lab(LAB_EVICT, demo_walk(page).pa, answer) != -ENOSPC)
		return true;
	demo_skip(d, "no swap (start with --swap ram)");
	return false;
}

struct lab_counters demo_lab_counters(struct demo *d)
{
	demo_lab(d, LAB_COUNTERS, 0);
	return *(struct lab_counters *)answer;
}

bool demo_blow(struct demo *d, uint64_t pages)
{
	demo_lab(d, LAB_BALLOON, pages);
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (demo_counts().balloon_frames == pages)
			return true;
		sys_sleep(1);
	}
	return demo_is(d, demo_counts().balloon_frames, pages);
}

const struct lab_walk *demo_lab_walk(struct demo *d, uint64_t at)
{
	demo_lab(d, LAB_WALK, at);
	return (const struct lab_walk *)answer;
}

/* The hypervisor wants 2 MiB for itself and one for each processor. */
uint64_t demo_low_cap(void)
{
	const uint64_t mib = 2 + demo_info().cpus;

	return (mib < 4 ? 4 : mib) << 20;
}
