/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ept/gather.h"

static int by_frame(const void *a, const void *b)
{
	uint64_t x = ((const frame_t *)a)->v, y = ((const frame_t *)b)->v;

	return (x > y) - (x < y);
}

bool gather_holds(const struct gather *g, frame_t f)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->frame[i].v == f.v)
			return true;
	return false;
}

void gather_sort(struct gather *g)
{
	qsort(g->frame, g->n, sizeof(g->frame[0]), by_frame);
}

unsigned gather_run(const struct gather *g, unsigned i)
{
	unsigned run = 1;

	while (i + run < g->n && g->frame[i + run].v == g->frame[i].v + run)
		run++;
	return run;
}
