/* SPDX-License-Identifier: MIT */
/* Pages that left: their bytes are in swap, and verify or do not come back. */
#include <errno.h>
#include <stdlib.h>

#include "ept/pager.h"

struct pager_swap {
	struct pager base;
	struct swap *swap;
};

static int swap_fill(struct pager *p, gfn_t gfn, uint64_t payload, void *page)
{
	struct swap_io io = { .page = page, .gfn = gfn, .slot = { payload } };

	swap_load(((struct pager_swap *)p)->swap, &io, 1);
	return io.error;
}

static void swap_forget(struct pager *p)
{
	free(p);
}

static const struct pager_ops swap_ops = {
	.name = "swap",
	.source = TRACE_SOURCE_SWAP,
	.fill = swap_fill,
	.destroy = swap_forget,
};

int pager_swap_create(struct pager **out, struct swap *s)
{
	struct pager_swap *p = malloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	*p = (struct pager_swap){ .base = { &swap_ops }, .swap = s };
	*out = &p->base;
	return 0;
}
