/* SPDX-License-Identifier: MIT */
/* Frames cut into pieces of one power of two, kept in a list of each size. */
#include "guest/mm/slab.h"

#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"

#define LEAST 32u
#define SIZES 8u /* 32 to 4096 */

struct piece {
	struct piece *next;
};

static struct piece *lists[SIZES];

struct cache {
	size_t bytes;
};

static unsigned size_of(size_t bytes)
{
	unsigned i = 0;

	while ((size_t)LEAST << i < bytes)
		i++;
	return i;
}

static void cut(unsigned i)
{
	struct frame *f = frame_alloc(FRAME_SLAB);
	char *at;

	if (!f)
		return;
	f->order = (uint8_t)i;
	at = direct(frame_pa(f));
	for (size_t n = 0; n < PAGE_SIZE; n += (size_t)LEAST << i) {
		struct piece *p = (void *)(at + n);

		p->next = lists[i];
		lists[i] = p;
	}
}

void *kmalloc(size_t bytes)
{
	unsigned i = size_of(bytes);
	struct piece *p;

	if (i >= SIZES)
		return NULL;
	if (!lists[i])
		cut(i);
	p = lists[i];
	if (p)
		lists[i] = p->next;
	return p;
}

void *kzalloc(size_t bytes)
{
	void *p = kmalloc(bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

void kfree(void *p)
{
	struct piece *piece = p;
	unsigned i;

	if (!p)
		return;
	i = frame_at((pa_t){ (uintptr_t)p - DIRECT_BASE })->order;
	piece->next = lists[i];
	lists[i] = piece;
}

struct cache *cache_create(const char *name, size_t object_bytes)
{
	struct cache *c = kmalloc(sizeof(*c));

	if (!c)
		panic("no memory for the cache %s", name);
	c->bytes = object_bytes;
	return c;
}

void *cache_alloc(struct cache *c)
{
	return kmalloc(c->bytes);
}

void cache_free(struct cache *c, void *p)
{
	(void)c;
	kfree(p);
}
