/* SPDX-License-Identifier: MIT */
#include "ept/gather.h"

bool gather_holds(const struct gather *g, frame_t f)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->frame[i].v == f.v)
			return true;
	return false;
}

/* Put the frame at @i, of those that are @gap apart, where it belongs. */
static void sink(struct gather *g, unsigned i, unsigned gap)
{
	const frame_t f = g->frame[i];

	for (; i >= gap && g->frame[i - gap].v > f.v; i -= gap)
		g->frame[i] = g->frame[i - gap];
	g->frame[i] = f;
}

/* Shell's sort (CACM 1959), for qsort may allocate. */
void gather_sort(struct gather *g)
{
	for (unsigned gap = g->n / 2; gap; gap /= 2)
		for (unsigned i = gap; i < g->n; i++)
			sink(g, i, gap);
}

unsigned gather_run(const struct gather *g, unsigned i)
{
	unsigned run = 1;

	while (i + run < g->n && g->frame[i + run].v == g->frame[i].v + run)
		run++;
	return run;
}
