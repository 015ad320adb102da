/* SPDX-License-Identifier: MIT */
#include "guest/lib/debug.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"
#include "guest/mm/slab.h"

#define SMALLEST_SHIFT 5u
#define SIZES	       7u

/* By power of two, 32 to 2048; [1] are those with checks. */
static const char *const names[2][SIZES] = {
	{ "kmalloc-32", "kmalloc-64", "kmalloc-128", "kmalloc-256",
	  "kmalloc-512", "kmalloc-1024", "kmalloc-2048" },
	{ "checked-32", "checked-64", "checked-128", "checked-256",
	  "checked-512", "checked-1024", "checked-2048" },
};
static struct cache *sizes[2][SIZES];

void kmalloc_init(void)
{
	for (unsigned checked = 0; checked < 2; checked++)
		for (unsigned i = 0; i < SIZES; i++)
			sizes[checked][i] = cache_create_checked(
				names[checked][i], 1ul << (i + SMALLEST_SHIFT),
				checked);
}

/* The exponent of the power of two that is not less than @n. */
static unsigned shift_for(size_t n)
{
	return n < 2 ? 0 : 64u - (unsigned)__builtin_clzl(n - 1);
}

static struct cache *cache_for(size_t bytes, bool checked)
{
	unsigned shift = shift_for(bytes);

	return sizes[checked]
		    [shift < SMALLEST_SHIFT ? 0 : shift - SMALLEST_SHIFT];
}

void *kmalloc(size_t bytes)
{
	unsigned shift = shift_for(bytes);
	struct frame *f;

	if (bytes <= LARGEST_OBJECT)
		return cache_alloc(cache_for(bytes, debug_checks));
	f = frames_alloc(shift < PAGE_SHIFT ? 0 : shift - PAGE_SHIFT,
			 ZONE_NORMAL, FRAME_KERNEL);
	return f ? direct(frame_pa(f)) : NULL;
}

void *kzalloc(size_t bytes)
{
	void *p = kmalloc(bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

void kfree(void *p)
{
	struct frame *f = frame_at(direct_pa(p));

	if (!p)
		return;
	if (f->use == FRAME_SLAB)
		cache_free(f->owner, p);
	else if (f->use == FRAME_KERNEL)
		frame_put(f);
	else
		panic("%p freed, which is not in use", p);
}

/* @p is @c's, and its frame held, so it can be looked at when freed. */
static bool abuse_object(struct cache *c, uint8_t *p, size_t room,
			 enum object_abuse abuse)
{
	bool caught;

	if (abuse == ABUSE_OVERFLOW) {
		p[room] ^= 1;
		caught = cache_fault(p);
		p[room] ^= 1;
		cache_free(c, p);
		return caught;
	}
	cache_free(c, p);
	if (abuse == ABUSE_DOUBLE_FREE)
		return cache_fault(p);
	p[room / 2] ^= 1;
	caught = cache_spoiled(p);
	p[room / 2] ^= 1;
	return caught;
}

bool kmalloc_abuse(size_t bytes, enum object_abuse abuse)
{
	struct cache *c = cache_for(bytes, true);
	void *p = bytes <= LARGEST_OBJECT ? cache_alloc(c) : NULL;
	struct frame *f;
	bool caught;

	if (!p)
		return false;
	f = frame_at(direct_pa(p));
	frame_get(f);
	caught = abuse_object(c, p, cache_bytes(c), abuse);
	frame_put(f);
	return caught;
}
