/* SPDX-License-Identifier: MIT */
/* demo.h, the part for demonstrations that look at stage 2. */
#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

bool demo_has_lab(struct demo *d)
{
	if (demo_info().lab)
		return true;
	demo_skip(d, "no lab device (not under twofold)");
	return false;
}

uint64_t demo_lab(struct demo *d, enum lab_command command, uint64_t arg,
		  void *buffer)
{
	struct sys_lab call = { .command = command,
				.arg = arg,
				.buffer = (uintptr_t)buffer };

	demo_is(d, sys_lab(&call), 0);
	return call.result;
}

bool demo_has_host_swap(struct demo *d, volatile uint64_t *page)
{
	struct sys_lab call = { .command = LAB_EVICT };

	*page = 1;
	call.arg = demo_walk(page).pa;
	if (sys_lab(&call) != -ENOSPC)
		return true;
	demo_skip(d, "no swap (start with --swap ram)");
	return false;
}

struct lab_counters demo_lab_counters(struct demo *d)
{
	struct lab_counters c = { 0 };

	demo_lab(d, LAB_COUNTERS, 0, &c);
	return c;
}
