/* SPDX-License-Identifier: MIT */
/* Tiers of each medium, and pages that go there and come back. */
#ifndef TESTS_TIER_FIXTURE_H
#define TESTS_TIER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <cmocka.h>

#include "ept/tier.h"
#include "tests/unit/ept_pages.h"

#define ROOM 16 /* pages that do not compress: one slab */

struct medium {
	const char *path; /* of a file tier; NULL: RAM */
	enum codec codec;
};

static struct medium disk = { "/var/tmp", 0 }, tmpfs = { "/dev/shm", 0 };

static inline struct tier *tier_on(void *const *medium, uint64_t pages)
{
	const struct medium *m = *medium;
	uint64_t size = pages * PAGE_SIZE;
	struct tier *t;
	int r = m->path ? tier_file_create(&t, m->path, size)
			: tier_ram_create(&t, size, m->codec);

	assert_int_equal(r, 0);
	return t;
}

static inline void check_held(struct tier *t, uint64_t pages)
{
	struct tier_stats st;

	t->ops->stats(t, &st);
	assert_int_equal(st.pages, pages);
	assert_int_equal(st.raw_bytes, pages * PAGE_SIZE);
	if (!pages)
		assert_int_equal(st.stored_bytes, 0);
}

/* Ends a test: nothing may be left. */
static inline void tier_end(struct tier *t)
{
	check_held(t, 0);
	t->ops->destroy(t);
}

static inline void set_up(struct tier_io *io, uint8_t *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		io[i] = (struct tier_io){ .page = pages + i * PAGE_SIZE,
					  .error = 1 };
}

/* How many of @io ended with @error. */
static inline unsigned ended(const struct tier_io *io, unsigned n, int error)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++)
		count += io[i].error == error;
	return count;
}

static inline unsigned store(struct tier *t, struct tier_io *io, uint8_t *pages,
			     unsigned n, bool raw_ok)
{
	set_up(io, pages, n);
	t->ops->store(t, io, n, raw_ok);
	return ended(io, n, 0);
}

static inline void load_and_check(struct tier *t, const struct tier_io *stored,
				  const uint8_t *pages, unsigned n)
{
	uint8_t *in = pages_new(n);
	struct tier_io io[TIER_BATCH];

	set_up(io, in, n);
	for (unsigned i = 0; i < n; i++)
		io[i].where = stored[i].where;
	t->ops->load(t, io, n);
	assert_int_equal(ended(io, n, 0), n);
	assert_memory_equal(in, pages, n * PAGE_SIZE);
	free(in);
}

static inline void release(struct tier *t, const struct tier_io *io, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!io[i].error)
			t->ops->release(t, io[i].where);
}

/* A test that is told its medium. */
#define TEST(t, medium)                                     \
	{                                                   \
#t " (" #medium ")", t, NULL, NULL, &medium \
	}
#define FILES(t) TEST(t, disk), TEST(t, tmpfs)

#endif
