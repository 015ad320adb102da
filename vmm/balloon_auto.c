/* SPDX-License-Identifier: MIT */
#include "vmm/balloon_auto.h"

#include <stdbool.h>

/* Of the guest's RAM: one part of so many. */
#define NEED  16 /* available below this: in need */
#define SPARE 8 /* available above this can be spared */
#define STEP  16 /* at most so much a second */
#define CALM  64 /* when nobody is in a hurry */
/* Of the host's. */
#define SHORT	   8
#define PLENTY	   4

#define PAGES_BACK 16 /* so many a second are no accident */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t take_back(const struct balloon_second *t, unsigned part)
{
	return t->given - least(t->given, t->ram / part);
}

static bool in_need(const struct balloon_second *t)
{
	return t->pages_back >= PAGES_BACK || t->available < t->ram / NEED;
}

static uint64_t spare(const struct balloon_second *t)
{
	const uint64_t own = t->ram / SPARE;

	return t->available > own ? t->available - own : 0;
}

uint64_t balloon_auto_step(const struct balloon_second *t)
{
	const struct host_memory *host = &t->host;

	if (in_need(t))
		return take_back(t, STEP);
	if (host->left < host->total / SHORT)
		return t->given + least(spare(t) / 4, t->ram / STEP);
	if (host->left > host->total / PLENTY)
		return take_back(t, CALM);
	return t->given;
}
