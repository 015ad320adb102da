/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ept/guest_mem.h"
#include "ept/state.h"

/* Frames: what is not held long always finds room, and so does reclaim. */
static uint64_t most_held(const struct stage2 *s)
{
	uint64_t quarter = s->limit / s->frame_pages / 4;

	return quarter < PINS_MAX / 2 ? quarter : PINS_MAX / 2;
}

static int pin(struct stage2 *s, gpa_t at, bool write, bool at_length,
	       void **to)
{
	gfn_t g = gfn_of(at);
	frame_t f;
	int r;

	if (!frame_of(s, g, &f) || (write && share_of(s, f)))
		return -EFAULT;
	pthread_mutex_lock(&s->lock);
	r = page_in(s, g);
	if (!r && !pins_add(&s->pins, f, at_length ? most_held(s) : PINS_MAX))
		r = -EBUSY;
	if (!r && write)
		hints_use(s, f);
	pthread_mutex_unlock(&s->lock);
	if (!r)
		*to = (uint8_t *)page_alias(s, g) + (at.v & PAGE_MASK);
	return r;
}

int guest_pin(struct stage2 *s, gpa_t at, bool write, void **to)
{
	return pin(s, at, write, false, to);
}

int guest_hold(struct stage2 *s, gpa_t at, bool write, void **to)
{
	return pin(s, at, write, true, to);
}

void guest_unpin(struct stage2 *s, gpa_t at)
{
	frame_t f;

	frame_of(s, gfn_of(at), &f);
	pthread_mutex_lock(&s->lock);
	pins_drop(&s->pins, f);
	pthread_mutex_unlock(&s->lock);
}

/* The one page loop: @to or @from is NULL. */
static bool copy(struct stage2 *s, gpa_t at, uint8_t *to, const uint8_t *from,
		 size_t len)
{
	if (len && at.v + (len - 1) < at.v)
		return false;
	while (len) {
		size_t part = PAGE_SIZE - (at.v & PAGE_MASK);
		void *page;

		if (guest_pin(s, at, from, &page))
			return false;
		if (part > len)
			part = len;
		if (to)
			memcpy(to, page, part);
		else
			memcpy(page, from, part);
		guest_unpin(s, at);
		at.v += part;
		len -= part;
		to = to ? to + part : NULL;
		from = from ? from + part : NULL;
	}
	return true;
}

bool guest_read(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	return copy(s, at, to, NULL, len);
}

bool guest_write(struct stage2 *s, gpa_t at, const void *from, size_t len)
{
	return copy(s, at, NULL, from, len);
}

bool guest_has(struct stage2 *s, gpa_t at, uint64_t len)
{
	const struct stage2_config *c = &s->config;

	for (unsigned i = 0; i < c->regions; i++) {
		uint64_t base = gpa_of(c->region[i].first).v;

		if (!c->share[i] && at.v >= base &&
		    range_within(at.v - base, len,
				 c->region[i].pages << PAGE_SHIFT))
			return true;
	}
	return false;
}
