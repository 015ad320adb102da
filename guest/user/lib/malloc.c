/* SPDX-License-Identifier: MIT */
/*
 * Chunks of 32 bytes, 64, ... 64 KiB, each size with a list of those that are
 * free; the heap grows (sbrk) when a list is empty, and never shrinks. What is
 * larger comes by mmap and goes back by munmap.
 *
 *     | struct chunk | what malloc returned ... |   bytes in all
 */
#include "guest/user/lib/malloc.h"

#include <assert.h>

#include "guest/lib/string.h"
#include "guest/user/lib/sys.h"

#define SMALLEST 5 /* log2 */
#define LARGEST	 16
#define GROW	 4096ul

struct chunk {
	size_t bytes; /* of all: a power of two, or a mapping's */
	struct chunk *next; /* while it is free */
};

static_assert(sizeof(struct chunk) == 16, "keeps what follows aligned");

static struct chunk *free_list[LARGEST + 1];

static unsigned size_class(size_t bytes)
{
	if (bytes <= 1u << SMALLEST)
		return SMALLEST;
	return 64 - (unsigned)__builtin_clzl(bytes - 1);
}

static void put(struct chunk *c, unsigned class)
{
	c->bytes = 1ul << class;
	c->next = free_list[class];
	free_list[class] = c;
}

/* A page's worth of chunks of @class, at least one, into its list. */
static void grow(unsigned class)
{
	size_t one = 1ul << class, all = one > GROW ? one : GROW;
	int64_t at = sys_sbrk(all);

	if (at < 0)
		return;
	for (size_t from = 0; from < all; from += one)
		put((struct chunk *)(at + (int64_t)from), class);
}

static void *map(size_t bytes)
{
	struct chunk *c;
	int64_t at;

	bytes = (bytes + GROW - 1) & ~(GROW - 1);
	at = sys_mmap(0, bytes, PROT_READ | PROT_WRITE, 0);
	if (at < 0)
		return NULL;
	c = (struct chunk *)at;
	c->bytes = bytes;
	return c + 1;
}

void *malloc(size_t bytes)
{
	unsigned class;
	struct chunk *c;

	if (bytes > PTRDIFF_MAX)
		return NULL;
	bytes += sizeof(*c);
	if (bytes > 1ul << LARGEST)
		return map(bytes);
	class = size_class(bytes);
	if (!free_list[class])
		grow(class);
	c = free_list[class];
	if (!c)
		return NULL;
	free_list[class] = c->next;
	return c + 1;
}

void free(void *p)
{
	struct chunk *c;

	if (!p)
		return;
	c = (struct chunk *)p - 1;
	if (c->bytes > 1ul << LARGEST)
		sys_munmap((uintptr_t)c, c->bytes);
	else
		put(c, size_class(c->bytes));
}

void *calloc(size_t count, size_t bytes)
{
	size_t all;
	void *p;

	if (__builtin_mul_overflow(count, bytes, &all))
		return NULL;
	p = malloc(all);
	if (p)
		memset(p, 0, all);
	return p;
}

void *realloc(void *p, size_t bytes)
{
	size_t room;
	void *to;

	if (!p)
		return malloc(bytes);
	room = ((struct chunk *)p - 1)->bytes - sizeof(struct chunk);
	if (bytes <= room)
		return p;
	to = malloc(bytes);
	if (to) {
		memcpy(to, p, room);
		free(p);
	}
	return to;
}
