/* SPDX-License-Identifier: MIT */
/* Anonymous memory: what nobody wrote yet is zeros. */
#include <stddef.h>

#include "ept/pager.h"

static void zero_destroy(struct pager *p)
{
	(void)p;
}

static const struct pager_ops zero_ops = {
	.name = "zero",
	.source = TRACE_SOURCE_ZERO,
	.fill = NULL,
	.destroy = zero_destroy,
};

struct pager pager_zero = { .ops = &zero_ops };
