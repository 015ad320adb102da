/* SPDX-License-Identifier: MIT */
/*
 * Swap in RAM: pages compressed into a pool. A page that would not shrink to
 * three quarters does not pay; where there is nowhere else for it, it lies
 * here as it is.
 *
 * Codec contexts are few and heavy: a call claims one of a fixed set for as
 * long as it runs, and waits only when more threads call than there are.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ept/codec.h"
#include "ept/pool.h"
#include "ept/zeroed.h"

#define PAYS  3072 /* the largest compressed page worth keeping */
#define DESKS 4

/* What one call works with. */
struct desk {
	pthread_mutex_t taken;
	void *ctx;
	uint8_t page[PAGE_SIZE], packed[PAYS];
};

struct tier_ram {
	struct tier base;
	const struct codec_ops *codec;
	struct pool *pool;
	struct desk desk[DESKS];
};

static struct tier_ram *ram_of(struct tier *t)
{
	return (struct tier_ram *)t;
}

static struct desk *desk_claim(struct tier_ram *t)
{
	for (unsigned i = 0; i < DESKS; i++)
		if (pthread_mutex_trylock(&t->desk[i].taken) == 0)
			return &t->desk[i];
	pthread_mutex_lock(&t->desk[0].taken);
	return &t->desk[0];
}

static void desk_leave(struct desk *d)
{
	pthread_mutex_unlock(&d->taken);
}

/* The page is copied first: a guest may write to it meanwhile (then nobody
 * will want this copy), and no codec promises to survive that. */
static int store_page(struct tier_ram *t, struct desk *d, struct tier_io *io,
		      bool raw_ok)
{
	const void *from = d->packed;
	unsigned size;
	int r;

	memcpy(d->page, io->page, PAGE_SIZE);
	size = t->codec->compress(d->ctx, d->page, d->packed, PAYS);
	if (!size) {
		if (!raw_ok)
			return -E2BIG;
		from = d->page;
		size = PAGE_SIZE;
	}
	r = pool_alloc(t->pool, size, &io->where);
	if (!r)
		memcpy(pool_at(t->pool, io->where), from, size);
	return r;
}

static void store(struct tier *base, struct tier_io *io, unsigned n,
		  bool raw_ok)
{
	struct tier_ram *t = ram_of(base);
	struct desk *d = desk_claim(t);

	for (unsigned i = 0; i < n; i++)
		io[i].error = store_page(t, d, &io[i], raw_ok);
	desk_leave(d);
}

static int load_page(struct tier_ram *t, struct desk *d,
		     const struct tier_io *io)
{
	const void *from = pool_at(t->pool, io->where);
	unsigned size = pool_size(io->where);

	if (size == PAGE_SIZE) {
		memcpy(io->page, from, size);
		return 0;
	}
	return t->codec->expand(d->ctx, from, size, io->page) ? 0 : -EBADMSG;
}

static void load(struct tier *base, struct tier_io *io, unsigned n)
{
	struct tier_ram *t = ram_of(base);
	struct desk *d = desk_claim(t);

	for (unsigned i = 0; i < n; i++)
		io[i].error = load_page(t, d, &io[i]);
	desk_leave(d);
}

static void release(struct tier *base, uint64_t where)
{
	pool_free(ram_of(base)->pool, where);
}

static unsigned bytes(struct tier *base, uint64_t where)
{
	(void)base;
	return pool_size(where);
}

static void stats(struct tier *base, struct tier_stats *st)
{
	struct pool_stats pool;

	pool_stats(ram_of(base)->pool, &pool);
	*st = (struct tier_stats){
		.pages = pool.blobs,
		.raw_bytes = pool.blobs * PAGE_SIZE,
		.stored_bytes = pool.bytes,
		.room_bytes = pool.limit_bytes - pool.used_bytes,
		.limit_bytes = pool.limit_bytes,
	};
}

static void destroy(struct tier *base)
{
	struct tier_ram *t = ram_of(base);

	for (unsigned i = 0; i < DESKS; i++) {
		if (t->desk[i].ctx)
			t->codec->destroy(t->desk[i].ctx);
		pthread_mutex_destroy(&t->desk[i].taken);
	}
	if (t->pool)
		pool_destroy(t->pool);
	zeroed_free(t, sizeof(*t));
}

static const struct tier_ops ram_ops = {
	.name = "ram",
	.store = store,
	.load = load,
	.release = release,
	.bytes = bytes,
	.stats = stats,
	.destroy = destroy,
};

int tier_ram_create(struct tier **out, uint64_t limit, enum codec codec)
{
	struct tier_ram *t = zeroed_new(sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->base.ops = &ram_ops;
	t->codec = codecs[codec];
	t->base.codec = t->codec->name;
	for (unsigned i = 0; i < DESKS; i++)
		pthread_mutex_init(&t->desk[i].taken, NULL);
	r = pool_create(&t->pool, limit);
	for (unsigned i = 0; i < DESKS && !r; i++) {
		t->desk[i].ctx = t->codec->create();
		r = t->desk[i].ctx ? 0 : -ENOMEM;
	}
	if (r)
		destroy(&t->base);
	else
		*out = &t->base;
	return r;
}
