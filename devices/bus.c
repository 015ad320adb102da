/* SPDX-License-Identifier: MIT */
/*
 * From an address to a device. The table is sorted and short: a scan through
 * 32 ranges costs less than the exit that led here.
 */
#include "devices/bus.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "ept/addr.h"

int bus_add(struct bus *b, struct device *d, uint64_t base, uint64_t size)
{
	unsigned i = b->ranges;

	if (!size || size - 1 > UINT64_MAX - base)
		return -EINVAL;
	while (i > 0 && b->range[i - 1].base > base)
		i--;
	/* Differences, because a range may end at the top of the space. */
	if (i > 0 && base - b->range[i - 1].base < b->range[i - 1].size)
		return -EEXIST;
	if (i < b->ranges && b->range[i].base - base < size)
		return -EEXIST;
	if (b->ranges == BUS_DEVICES)
		return -ENOSPC;
	memmove(&b->range[i + 1], &b->range[i],
		(b->ranges - i) * sizeof(b->range[0]));
	b->range[i] = (struct bus_range){ base, size, d };
	b->added[b->ranges++] = d;
	return 0;
}

/* The first range that does not end below @at, or NULL. */
static struct bus_range *range_from(struct bus *b, uint64_t at)
{
	for (unsigned i = 0; i < b->ranges; i++)
		if (at < b->range[i].base ||
		    at - b->range[i].base < b->range[i].size)
			return &b->range[i];
	return NULL;
}

enum meet {
	MEET_NONE, /* no byte of the access is a device's */
	MEET_WHOLE, /* all are one device's, and it takes such an access */
	MEET_PARTS /* neither */
};

static enum meet range_meets(const struct bus_range *r, uint64_t at,
			     unsigned len)
{
	bool inside;

	if (!len)
		return MEET_PARTS; /* none of them */
	if (len - 1 > UINT64_MAX - at)
		return MEET_NONE; /* there is no such range of addresses */
	if (!r || (at < r->base && r->base - at >= len))
		return MEET_NONE;
	inside = at >= r->base && range_within(at - r->base, len, r->size);
	/* A power of two has one bit. */
	return inside && !(len & (len - 1)) ? MEET_WHOLE : MEET_PARTS;
}

static uint64_t all_ones(unsigned len)
{
	return len ? UINT64_MAX >> (64 - 8 * len) : 0;
}

static void meet_none(struct bus *b, uint64_t at)
{
	const uint64_t n = 1 + atomic_fetch_add_explicit(&b->unknown, 1,
							 memory_order_relaxed);

	if (b->unknown_at && !(n & (n - 1)))
		b->unknown_at(b->ctx, b, at, n);
}

uint64_t bus_read(struct bus *b, uint64_t at, unsigned len)
{
	struct bus_range *r = range_from(b, at);
	uint64_t value = 0;

	assert(len <= sizeof(value));
	switch (range_meets(r, at, len)) {
	case MEET_WHOLE:
		value = r->device->ops->read(r->device, at - r->base, len);
		break;
	case MEET_PARTS:
		for (unsigned i = 0; i < len; i++)
			value |= bus_read(b, at + i, 1) << (8 * i);
		break;
	case MEET_NONE:
		meet_none(b, at);
		value = UINT64_MAX;
		break;
	}
	return value & all_ones(len);
}

void bus_write(struct bus *b, uint64_t at, unsigned len, uint64_t value)
{
	struct bus_range *r = range_from(b, at);

	assert(len <= sizeof(value));
	value &= all_ones(len);
	switch (range_meets(r, at, len)) {
	case MEET_WHOLE:
		r->device->ops->write(r->device, at - r->base, len, value);
		break;
	case MEET_PARTS:
		for (unsigned i = 0; i < len; i++)
			bus_write(b, at + i, 1, value >> (8 * i));
		break;
	case MEET_NONE:
		meet_none(b, at);
		break;
	}
}

/* Was the device wired last but @left already wired before? */
static bool wired_before(const struct bus *b, unsigned left)
{
	for (unsigned i = 0; i < left; i++)
		if (b->added[i] == b->added[left])
			return true;
	return false;
}

void bus_destroy(struct bus *b)
{
	for (unsigned i = b->ranges; i-- > 0;)
		if (!wired_before(b, i))
			b->added[i]->ops->destroy(b->added[i]);
	b->ranges = 0;
}
