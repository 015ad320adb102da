/* SPDX-License-Identifier: MIT */
/* Where guest RAM lies: [0, 3 GiB), and the rest from 4 GiB on. */
#ifndef VMM_RAM_H
#define VMM_RAM_H

#include "ept/addr.h"
#include "guest/abi.h"

struct ram_range {
	gpa_t base;
	uint64_t bytes;
};

struct ram {
	struct ram_range range[2];
	unsigned ranges;
};

static inline struct ram ram_layout(uint64_t bytes)
{
	if (bytes <= ABI_MMIO_BASE)
		return (struct ram){ .range = { { { 0 }, bytes } },
				     .ranges = 1 };
	return (struct ram){ .range = { { { 0 }, ABI_MMIO_BASE },
					{ { ABI_MMIO_END },
					  bytes - ABI_MMIO_BASE } },
			     .ranges = 2 };
}

/* Is [@at, @at + @len) RAM, all of it, in one range? */
static inline bool ram_contains(const struct ram *r, gpa_t at, uint64_t len)
{
	for (unsigned i = 0; i < r->ranges; i++)
		if (at.v >= r->range[i].base.v &&
		    range_within(at.v - r->range[i].base.v, len,
				 r->range[i].bytes))
			return true;
	return false;
}

#endif
