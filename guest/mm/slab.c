/* SPDX-License-Identifier: MIT */
#include "guest/mm/slab.h"

#include "guest/lib/broken.h"
#include "guest/lib/debug.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"

#define CACHES	    48u
#define CHECK_BYTES 16u /* red zone and link */
#define RED_USED    0x5a5aa5a50f0ff0f0ul
#define RED_FREE    0x0dead0bead0fee10ul

struct cache {
	const char *name;
	uint32_t object_bytes, stride;
	uint32_t per_slab;
	uint32_t partial; /* frames with room: a list */
	bool checked;
	uint64_t used, slabs;
};

static struct cache caches[CACHES];
static unsigned cache_count;

struct cache *cache_create_checked(const char *name, size_t object_bytes,
				   bool checked)
{
	uint32_t bytes = (uint32_t)(object_bytes + 7) & ~7u;
	uint32_t stride = bytes + (checked ? CHECK_BYTES : 0);
	struct cache *c = &caches[cache_count];

	if (cache_count == CACHES || !bytes || bytes > LARGEST_OBJECT)
		panic("no cache '%s' can be made", name);
	cache_count++;
	*c = (struct cache){ .name = name,
			     .object_bytes = bytes,
			     .stride = stride,
			     .per_slab = (uint32_t)PAGE_SIZE / stride,
			     .checked = checked };
	return c;
}

struct cache *cache_create(const char *name, size_t object_bytes)
{
	return cache_create_checked(name, object_bytes, debug_checks);
}

size_t cache_bytes(const struct cache *c)
{
	return c->object_bytes;
}

static struct frame *frame_of(const void *p)
{
	return frame_at(direct_pa(p));
}

static uint64_t *red_zone(const struct cache *c, const void *p)
{
	return (uint64_t *)((uintptr_t)p + c->object_bytes);
}

/* Where @p, free, has the offset + 1 of the next free object; 0 ends it. */
static uint16_t *link_of(const struct cache *c, void *p)
{
	return c->checked ? (uint16_t *)(red_zone(c, p) + 1) : p;
}

static void add_partial(struct cache *c, struct frame *f)
{
	f->prev = 0;
	f->next = c->partial;
	if (f->next)
		frames[f->next].prev = (uint32_t)(f - frames);
	c->partial = (uint32_t)(f - frames);
}

static void remove_partial(struct cache *c, struct frame *f)
{
	if (f->prev)
		frames[f->prev].next = f->next;
	else
		c->partial = f->next;
	if (f->next)
		frames[f->next].prev = f->prev;
}

static struct frame *new_slab(struct cache *c)
{
	struct frame *f = frame_alloc_raw(FRAME_SLAB);

	if (!f)
		return NULL;
	f->owner = c;
	f->index = 0;
	add_partial(c, f);
	c->slabs++;
	return f;
}

/* The object given back last, or the next that was never used. */
static void *take(struct cache *c, struct frame *f)
{
	char *base = direct(frame_pa(f));
	void *p;

	if (f->slab.free) {
		p = base + f->slab.free - 1;
		f->slab.free = *link_of(c, p);
		if (c->checked && cache_spoiled(p))
			panic("%s at %p was written after it was freed",
			      c->name, p);
	} else {
		p = base + f->slab.carved;
		f->slab.carved = (uint16_t)(f->slab.carved + c->stride);
	}
	return p;
}

void *cache_alloc(struct cache *c)
{
	struct frame *f = c->partial ? frames + c->partial : new_slab(c);
	void *p;

	if (!f)
		return NULL;
	p = take(c, f);
	if (c->checked)
		*red_zone(c, p) = RED_USED;
	c->used++;
	if (++f->slab.used == c->per_slab)
		remove_partial(c, f);
	return p;
}

const char *cache_fault(const void *p)
{
	struct frame *f = frame_of(p);
	const struct cache *c = f->owner;

	if (f->use != FRAME_SLAB)
		return "it is no object";
	if (!c->checked || broken("kmalloc"))
		return NULL;
	if (*red_zone(c, p) == RED_FREE)
		return "it is free already";
	if (*red_zone(c, p) != RED_USED)
		return "something wrote past its end";
	return NULL;
}

bool cache_spoiled(const void *p)
{
	const struct cache *c = frame_of(p)->owner;

	return !broken("kmalloc") && !all_words(p, POISON, c->object_bytes / 8);
}

/* A frame without objects goes back at once, so that counts are exact. */
void cache_free(struct cache *c, void *p)
{
	struct frame *f = frame_of(p);

	if (c->checked) {
		const char *why = cache_fault(p);

		if (why)
			panic("%s at %p cannot be freed: %s", c->name, p, why);
		fill_words(p, POISON, c->object_bytes / 8);
		*red_zone(c, p) = RED_FREE;
	}
	*link_of(c, p) = f->slab.free;
	f->slab.free = (uint16_t)(page_offset((uintptr_t)p) + 1);
	c->used--;
	if (f->slab.used-- == c->per_slab)
		add_partial(c, f);
	if (f->slab.used)
		return;
	remove_partial(c, f);
	c->slabs--;
	frame_put(f);
}

bool cache_describe(unsigned index, struct sys_slab *to)
{
	const struct cache *c = &caches[index];

	if (index >= cache_count)
		return false;
	*to = (struct sys_slab){ .object_bytes = c->object_bytes,
				 .objects_used = c->used,
				 .objects_total = c->slabs * c->per_slab,
				 .frames = c->slabs };
	memcpy(to->name, c->name, strlen(c->name));
	return true;
}
