/* SPDX-License-Identifier: MIT */
/* kmalloc: slabs (slab.h), and whole frames for what is larger. */
#include "guest/mm/slab.h"

#include "guest/lib/base.h"
#include "guest/mm/frame.h"

/* What the mark behind an object says. Of a free one it ends in the link. */
#define MARK_USED     0x5a5aa5a50f0ff0f0ul
#define MARK_FREE     0x0dead0bead0f0000ul
#define MARK_POISONED 0x6b0dead0bead0000ul
#define MARK_LINK     0xfffful /* offset of the next free object + 1; 0: none */

/* With the mark the objects are powers of two. */
#define SMALLEST_SHIFT 5u

struct cache caches[CACHES] = {
	{ .name = "kmalloc-24", .object_bytes = 24 },
	{ .name = "kmalloc-56", .object_bytes = 56 },
	{ .name = "kmalloc-120", .object_bytes = 120 },
	{ .name = "kmalloc-248", .object_bytes = 248 },
	{ .name = "kmalloc-504", .object_bytes = 504 },
	{ .name = "kmalloc-1016", .object_bytes = 1016 },
	{ .name = "kmalloc-2040", .object_bytes = 2040 },
};

static struct frame *frame_of(const void *p)
{
	return frame_at(direct_pa(p));
}

static uint64_t *mark_of(const struct cache *c, const void *p)
{
	return (uint64_t *)((uintptr_t)p + c->object_bytes);
}

static uint16_t stride_of(const struct cache *c)
{
	return (uint16_t)(c->object_bytes + sizeof(uint64_t));
}

static bool is_full(const struct cache *c, const struct frame *f)
{
	return !f->slab.free && f->slab.carved + stride_of(c) > PAGE_SIZE;
}

static struct frame *new_slab(struct cache *c)
{
	struct frame *f = frame_alloc_raw(FRAME_SLAB);

	if (!f)
		return NULL;
	f->owner = c;
	f->index = 0;
	frame_list_add(&c->partial, f);
	c->frames++;
	return f;
}

/* @p, which is free, was written to since. */
static bool is_spoiled(const struct cache *c, const void *p)
{
	uint64_t mark = *mark_of(c, p) & ~MARK_LINK;

	if (mark == MARK_FREE || broken("kmalloc"))
		return false;
	return mark != MARK_POISONED ||
	       !all_words(p, POISON, c->object_bytes / 8);
}

/* Why @p must not be freed; NULL if it may be. */
static const char *fault_of(const struct cache *c, const void *p)
{
	uint64_t mark = *mark_of(c, p);

	if (mark == MARK_USED || broken("kmalloc"))
		return NULL;
	mark &= ~MARK_LINK;
	return mark == MARK_FREE || mark == MARK_POISONED
		       ? "it is free already"
		       : "something wrote past its end";
}

/* The object given back last, or the next that was never used. */
static void *cache_alloc(struct cache *c)
{
	struct frame *f =
		c->partial.count ? frames + c->partial.first : new_slab(c);
	char *p;

	if (!f)
		return NULL;
	p = frame_bytes(f);
	if (f->slab.free) {
		p += f->slab.free - 1;
		if (is_spoiled(c, p))
			panic("%s at %#lx was written after it was freed",
			      c->name, (uintptr_t)p);
		f->slab.free = (uint16_t)(*mark_of(c, p) & MARK_LINK);
	} else {
		p += f->slab.carved;
		f->slab.carved = (uint16_t)(f->slab.carved + stride_of(c));
	}
	*mark_of(c, p) = MARK_USED;
	f->slab.used++;
	c->objects_used++;
	if (is_full(c, f))
		frame_list_remove(&c->partial, f);
	return p;
}

/* A frame without objects goes back at once, so that counts are exact. */
static void cache_free(struct cache *c, void *p)
{
	struct frame *f = frame_of(p);
	const char *why = fault_of(c, p);

	if (why)
		panic("%s at %#lx cannot be freed: %s", c->name, (uintptr_t)p,
		      why);
	if (debug_checks)
		fill_words(p, POISON, c->object_bytes / 8);
	if (is_full(c, f))
		frame_list_add(&c->partial, f);
	*mark_of(c, p) =
		(debug_checks ? MARK_POISONED : MARK_FREE) | f->slab.free;
	f->slab.free = (uint16_t)(page_offset((uintptr_t)p) + 1);
	c->objects_used--;
	if (--f->slab.used)
		return;
	frame_list_remove(&c->partial, f);
	c->frames--;
	frame_put(f);
}

/* The exponent of the power of two that is not less than @n. */
static unsigned shift_for(size_t n)
{
	return n < 2 ? 0 : 64u - (unsigned)__builtin_clzl(n - 1);
}

static void *blocks(size_t bytes, enum zone_id highest, enum frame_use use)
{
	unsigned shift = shift_for(bytes);
	struct frame *f = frames_alloc(
		shift < PAGE_SHIFT ? 0 : shift - PAGE_SHIFT, highest, use);

	return f ? frame_bytes(f) : NULL;
}

void *kmalloc(size_t bytes)
{
	unsigned shift = shift_for(bytes + sizeof(uint64_t));

	if (bytes > LARGEST_OBJECT)
		return blocks(bytes, ZONE_NORMAL, FRAME_KERNEL);
	return cache_alloc(
		&caches[shift < SMALLEST_SHIFT ? 0 : shift - SMALLEST_SHIFT]);
}

void *kmalloc_dma(size_t bytes)
{
	return blocks(bytes, ZONE_DMA, FRAME_DMA);
}

void *kzalloc(size_t bytes)
{
	void *p = kmalloc(bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

void kfree(void *p)
{
	struct frame *f = frame_of(p);

	if (!p)
		return;
	if (f->use == FRAME_SLAB)
		cache_free(f->owner, p);
	else if (f->use == FRAME_KERNEL || f->use == FRAME_DMA)
		frame_put(f);
	else
		panic("%#lx freed, which is not in use", (uintptr_t)p);
}

/* Its frame is held, so that what is free can be looked at. */
bool kmalloc_abuse(size_t bytes, enum object_abuse abuse)
{
	uint8_t *p = bytes <= LARGEST_OBJECT ? kmalloc(bytes) : NULL;
	struct frame *f = frame_of(p);
	bool caught = false, before = debug_checks;
	struct cache *c;

	if (!p)
		return false;
	frame_get(f);
	c = f->owner;
	if (abuse == ABUSE_OVERFLOW) {
		p[c->object_bytes] ^= 1;
		caught = fault_of(c, p);
		p[c->object_bytes] ^= 1;
	}
	debug_checks = true;
	cache_free(c, p);
	debug_checks = before;
	if (abuse == ABUSE_DOUBLE_FREE)
		caught = fault_of(c, p);
	if (abuse == ABUSE_USE_AFTER_FREE) {
		*p ^= 1;
		caught = is_spoiled(c, p);
		*p ^= 1;
	}
	frame_put(f);
	return caught;
}
