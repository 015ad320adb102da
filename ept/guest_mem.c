/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ept/guest_mem.h"
#include "ept/state.h"

/* Have page @g in its frame until unpin, perhaps to write to it. NULL: it
 * cannot be had, or not written to. */
static uint8_t *pin(struct stage2 *s, gfn_t g, bool write)
{
	bool pinned;
	frame_t f;

	if (!frame_of(s, g, &f) || (write && share_of(s, f)))
		return NULL;
	pthread_mutex_lock(&s->lock);
	pinned = page_in(s, g) == 0 && pins_add(&s->pins, f);
	pthread_mutex_unlock(&s->lock);
	return pinned ? page_alias(s, g) : NULL;
}

static void unpin(struct stage2 *s, gfn_t g)
{
	frame_t f;

	frame_of(s, g, &f);
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
		uint64_t offset = at.v & PAGE_MASK;
		size_t part = PAGE_SIZE - offset;
		uint8_t *page = pin(s, gfn_of(at), from);

		if (!page)
			return false;
		if (part > len)
			part = len;
		if (to)
			memcpy(to, page + offset, part);
		else
			memcpy(page + offset, from, part);
		unpin(s, gfn_of(at));
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
