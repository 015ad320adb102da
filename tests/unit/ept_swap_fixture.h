/* SPDX-License-Identifier: MIT */
/* For the tests of swap: a fake tier that lies, fails and loses on demand,
 * and a set of pages on their way. Included after cmocka.h. */
#ifndef TESTS_UNIT_EPT_SWAP_FIXTURE_H
#define TESTS_UNIT_EPT_SWAP_FIXTURE_H

#include <errno.h>

#include "ept/swap.h"
#include "tests/unit/ept_pages.h"

#define PAGES 16 /* of most tests */

/* A tier in plain memory whose handles are indices. */
struct fake {
	struct tier base;
	unsigned room, held;
	bool used[256];
	uint8_t page[256][PAGE_SIZE];
	unsigned stores, loads; /* pages asked for */
	unsigned fail_store, fail_load; /* the nth of them fails; 0: none */
	unsigned lie_load; /* the nth load delivers something else */
	bool broken; /* every load fails */
	int ill; /* every store fails so: -errno */
	bool picky; /* refuses what it may refuse */
	/* Called once, in the middle of the next store or load. */
	void (*on_store)(void *ctx), (*on_load)(void *ctx);
	void *ctx;
};

static inline void fake_meanwhile(struct fake *f, void (**what)(void *ctx))
{
	void (*now)(void *ctx) = *what;

	*what = NULL;
	if (now)
		now(f->ctx);
}

static inline int fake_store_page(struct fake *f, struct tier_io *io,
				  bool raw_ok)
{
	unsigned i = 0;

	if (++f->stores == f->fail_store)
		return -EIO;
	if (f->ill)
		return f->ill;
	if (f->picky && !raw_ok)
		return -E2BIG;
	if (f->held == f->room)
		return -ENOSPC;
	while (f->used[i])
		i++;
	f->used[i] = true;
	f->held++;
	memcpy(f->page[i], io->page, PAGE_SIZE);
	io->where = i;
	return 0;
}

static inline void fake_store(struct tier *t, struct tier_io *io, unsigned n,
			      bool raw_ok)
{
	struct fake *f = (struct fake *)t;

	for (unsigned i = 0; i < n; i++)
		io[i].error = fake_store_page(f, &io[i], raw_ok);
	fake_meanwhile(f, &f->on_store);
}

static inline void fake_load(struct tier *t, struct tier_io *io, unsigned n)
{
	struct fake *f = (struct fake *)t;

	for (unsigned i = 0; i < n; i++) {
		f->loads++;
		io[i].error = f->broken || f->loads == f->fail_load ? -EIO : 0;
		if (!io[i].error)
			memcpy(io[i].page, f->page[io[i].where], PAGE_SIZE);
		if (f->loads == f->lie_load)
			memset(io[i].page, 0x5a, PAGE_SIZE);
	}
	fake_meanwhile(f, &f->on_load);
}

static inline void fake_release(struct tier *t, uint64_t where)
{
	struct fake *f = (struct fake *)t;

	assert_true(f->used[where]);
	f->used[where] = false;
	f->held--;
}

static inline unsigned fake_bytes(struct tier *t, uint64_t where)
{
	assert_true(((struct fake *)t)->used[where]);
	return PAGE_SIZE;
}

static inline void fake_stats(struct tier *t, struct tier_stats *st)
{
	const struct fake *f = (struct fake *)t;

	*st = (struct tier_stats){
		.pages = f->held,
		.raw_bytes = f->held * PAGE_SIZE,
		.stored_bytes = f->held * PAGE_SIZE,
		.room_bytes = (f->room - f->held) * PAGE_SIZE,
		.limit_bytes = f->room * PAGE_SIZE,
	};
}

static inline void fake_destroy(struct tier *t)
{
	assert_int_equal(((struct fake *)t)->held, 0);
	free(t);
}

static const struct tier_ops fake_ops = {
	.name = "fake",
	.store = fake_store,
	.load = fake_load,
	.release = fake_release,
	.bytes = fake_bytes,
	.stats = fake_stats,
	.destroy = fake_destroy,
};

static inline struct fake *fake_new(unsigned room)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->base.ops = &fake_ops;
	f->room = room;
	return f;
}

static inline struct swap *swap_over(struct tier *first, struct tier *second,
				     uint64_t flip_nth)
{
	struct swap_config c = { .tier = { first, second },
				 .tiers = !!first + !!second,
				 .pages = 1024,
				 .flip_nth = flip_nth };
	struct swap *s;

	assert_int_equal(swap_create(&s, &c), 0);
	return s;
}

static inline struct swap_counts counts_of(struct swap *s)
{
	struct swap_counts c;

	swap_counts(s, &c);
	return c;
}

static inline struct swap_traffic traffic_of(struct swap *s, unsigned tier)
{
	struct swap_traffic t;

	swap_tier_traffic(s, tier, &t);
	return t;
}

/* A set of pages with gfns 100, 101, ... on their way. */
struct set {
	uint8_t *out, *in;
	struct swap_io io[TIER_BATCH];
	unsigned n;
};

static inline struct set set_new(unsigned n)
{
	struct set p = { pages_new(n), pages_new(n), .n = n };

	for (unsigned i = 0; i < n; i++) {
		page_text(p.out + i * PAGE_SIZE, i);
		p.io[i] = (struct swap_io){ .page = p.out + i * PAGE_SIZE,
					    .gfn = { 100 + i },
					    .error = 1 };
	}
	return p;
}

static inline unsigned ended(const struct set *p, int error)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += p->io[i].error == error;
	return n;
}

static inline void set_load(struct swap *s, struct set *p)
{
	for (unsigned i = 0; i < p->n; i++)
		p->io[i].page = p->in + i * PAGE_SIZE;
	swap_load(s, p->io, p->n);
	for (unsigned i = 0; i < p->n; i++)
		if (!p->io[i].error)
			assert_memory_equal(p->in + i * PAGE_SIZE,
					    p->out + i * PAGE_SIZE, PAGE_SIZE);
}

static inline void set_free(struct set *p)
{
	free(p->out);
	free(p->in);
}

/* Ends a test: gives up the slots that @stored says and checks that nothing
 * is left anywhere. */
static inline void finish(struct swap *s, struct set *p, uint64_t stored)
{
	struct tier_stats st;

	for (unsigned i = 0; i < p->n; i++)
		if (stored >> i & 1)
			swap_release(s, p->io[i].slot);
	assert_int_equal(swap_slots_used(s), 0);
	for (unsigned i = 0; i < swap_tiers(s); i++) {
		swap_tier_stats(s, i, &st);
		assert_int_equal(st.pages, 0);
		assert_int_equal(st.stored_bytes, 0);
	}
	swap_destroy(s);
	set_free(p);
}

#endif
