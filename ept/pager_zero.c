/* SPDX-License-Identifier: MIT */
/* Anonymous memory: what nobody wrote yet is zeros. */
#include "ept/pager.h"

/* The frame is a hole of the memfd: the kernel clears it at this touch. */
static int zero_fill(struct pager *p, gfn_t gfn, uint64_t payload, void *page)
{
	(void)p;
	(void)gfn;
	(void)payload;
	*(volatile uint8_t *)page = 0;
	return 0;
}

static void zero_destroy(struct pager *p)
{
	(void)p;
}

static const struct pager_ops zero_ops = {
	.name = "zero",
	.source = TRACE_SOURCE_ZERO,
	.fill = zero_fill,
	.destroy = zero_destroy,
};

struct pager pager_zero = { .ops = &zero_ops };
