/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ept/gather.h"

static int by_frame(const void *a, const void *b)
{
	uint64_t x = ((const frame_t *)a)->v, y = ((const frame_t *)b)->v;

	return (x > y) - (x < y);
}

int gather_flush(struct gather *g, struct backing *b,
		 int (*discard)(struct backing *b, frame_t first,
				uint64_t frames))
{
	int error = 0;

	qsort(g->frame, g->n, sizeof(g->frame[0]), by_frame);
	for (unsigned i = 0, run; i < g->n; i += run) {
		int r;

		for (run = 1; i + run < g->n; run++)
			if (g->frame[i + run].v != g->frame[i].v + run)
				break;
		r = discard(b, g->frame[i], run);
		if (r && !error)
			error = r;
	}
	g->n = 0;
	return error;
}
