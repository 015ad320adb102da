/* SPDX-License-Identifier: MIT */
/* Tiers: every one through the same cases, then what is particular to each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/tier.h"
#include "tests/unit/ept_pages.h"

#define ROOM 16 /* pages that do not compress: one slab */

struct medium {
	const char *path; /* of a file tier; NULL: RAM */
	enum codec codec;
};

static struct medium lz4 = { NULL, CODEC_LZ4 }, zstd = { NULL, CODEC_ZSTD };
static struct medium disk = { "/var/tmp", 0 }, tmpfs = { "/dev/shm", 0 };

static struct tier *tier_on(void *const *medium, uint64_t pages)
{
	const struct medium *m = *medium;
	uint64_t size = pages * PAGE_SIZE;
	struct tier *t;
	int r = m->path ? tier_file_create(&t, m->path, size)
			: tier_ram_create(&t, size, m->codec);

	assert_int_equal(r, 0);
	return t;
}

static void check_held(struct tier *t, uint64_t pages)
{
	struct tier_stats st;

	t->ops->stats(t, &st);
	assert_int_equal(st.pages, pages);
	assert_int_equal(st.raw_bytes, pages * PAGE_SIZE);
	if (!pages)
		assert_int_equal(st.stored_bytes, 0);
}

/* Ends a test: nothing may be left. */
static void tier_end(struct tier *t)
{
	check_held(t, 0);
	t->ops->destroy(t);
}

static void set_up(struct tier_io *io, uint8_t *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		io[i] = (struct tier_io){ .page = pages + i * PAGE_SIZE,
					  .error = 1 };
}

/* How many of @io ended with @error. */
static unsigned ended(const struct tier_io *io, unsigned n, int error)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++)
		count += io[i].error == error;
	return count;
}

static unsigned store(struct tier *t, struct tier_io *io, uint8_t *pages,
		      unsigned n, bool raw_ok)
{
	set_up(io, pages, n);
	t->ops->store(t, io, n, raw_ok);
	return ended(io, n, 0);
}

static void load_and_check(struct tier *t, const struct tier_io *stored,
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

static void release(struct tier *t, const struct tier_io *io, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!io[i].error)
			t->ops->release(t, io[i].where);
}

static void pages_come_back(void **state)
{
	static const unsigned batches[] = { 1, 2, 63, 64 };
	uint8_t *pages = pages_new(TIER_BATCH);
	struct tier *t = tier_on(state, 500);
	struct tier_io io[TIER_BATCH];

	for (unsigned b = 0; b < 4; b++) {
		unsigned n = batches[b];

		for (unsigned i = 0; i < n; i++)
			page_mixed(pages + i * PAGE_SIZE, b * 64 + i);
		assert_int_equal(store(t, io, pages, n, true), n);
		check_held(t, n);
		load_and_check(t, io, pages, n);
		for (unsigned i = n; i--;) /* again, one by one */
			load_and_check(t, &io[i], pages + i * PAGE_SIZE, 1);
		release(t, io, n);
		check_held(t, 0);
	}
	free(pages);
	tier_end(t);
}

static void the_room_is_exact(void **state)
{
	uint8_t *pages = pages_new(20);
	struct tier *t = tier_on(state, ROOM);
	struct tier_io io[20], more;

	for (unsigned i = 0; i < 20; i++)
		page_random(pages + i * PAGE_SIZE, i);
	assert_int_equal(store(t, io, pages, 20, true), ROOM);
	assert_int_equal(ended(io, 20, -ENOSPC), 20 - ROOM);
	check_held(t, ROOM);
	assert_int_equal(store(t, &more, pages, 1, true), 0);
	assert_int_equal(more.error, -ENOSPC);
	t->ops->release(t, io[5].where);
	assert_int_equal(store(t, &io[5], pages + 5 * PAGE_SIZE, 1, true), 1);
	assert_int_equal(store(t, &more, pages, 1, true), 0);
	load_and_check(t, io, pages, ROOM);
	release(t, io, 20);
	free(pages);
	tier_end(t);
}

static void what_does_not_pay_is_refused(void **state)
{
	const struct medium *m = *state;
	uint8_t *pages = pages_new(6);
	struct tier *t = tier_on(state, 500);
	struct tier_io io[6];

	for (unsigned i = 0; i < 6; i++)
		page_mixed(pages + i * PAGE_SIZE, i);
	assert_int_equal(store(t, io, pages, 6, false), m->path ? 6 : 4);
	assert_int_equal(ended(io, 6, -E2BIG), m->path ? 0 : 2);
	assert_int_equal(io[2].error, m->path ? 0 : -E2BIG);
	check_held(t, m->path ? 6 : 4);
	release(t, io, 6);
	free(pages);
	tier_end(t);
}

/* A thread with pages of its own; errors are counted, not asserted: cmocka
 * belongs to the main thread. */
struct worker {
	struct tier *tier;
	uint64_t seed;
	unsigned wrong, failed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t *out = pages_new(8), *in = pages_new(8);
	struct tier_io io[8];

	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 8; i++)
			page_mixed(out + i * PAGE_SIZE, w->seed++);
		w->failed += store(w->tier, io, out, 8, true) != 8;
		for (unsigned i = 0; i < 8; i++)
			io[i].page = in + i * PAGE_SIZE;
		w->tier->ops->load(w->tier, io, 8);
		w->failed += ended(io, 8, 0) != 8;
		w->wrong += memcmp(in, out, 8 * PAGE_SIZE) != 0;
		release(w->tier, io, 8);
	}
	free(out);
	free(in);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct tier *t = tier_on(state, 500);
	struct worker w[6];
	pthread_t thread[6];

	for (unsigned i = 0; i < 6; i++) {
		w[i] = (struct worker){ .tier = t, .seed = i * 1000 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
		assert_int_equal(w[i].wrong, 0);
	}
	tier_end(t);
}

/* A thousand zero pages would take 4 MiB; here each takes 32 bytes. */
static void zeros_take_little(void **state)
{
	uint8_t *page = pages_new(1);
	struct tier *t = tier_on(state, 2 * ROOM);
	struct tier_stats st;
	struct tier_io io[1000];

	memset(page, 0, PAGE_SIZE);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(store(t, &io[i], page, 1, false), 1);
	t->ops->stats(t, &st);
	assert_int_equal(st.pages, 1000);
	assert_int_equal(st.raw_bytes, 1000 * PAGE_SIZE);
	assert_int_equal(st.stored_bytes, 32 << 10);
	release(t, io, 1000);
	free(page);
	tier_end(t);
}

static void too_small_a_ram_tier_is_refused(void **state)
{
	struct tier *t;

	(void)state;
	assert_int_equal(tier_ram_create(&t, 4096, CODEC_LZ4), -EINVAL);
}

static void impossible_files_are_refused(void **state)
{
	struct tier *t;

	(void)state;
	assert_int_equal(tier_file_create(&t, "/nowhere", 1 << 20), -ENOENT);
	assert_int_equal(tier_file_create(&t, "/dev/shm", 0), -EINVAL);
	assert_int_equal(tier_file_create(&t, "/dev/shm", 4095), -EINVAL);
	assert_int_equal(tier_file_create(&t, "/dev/shm", UINT64_MAX), -EINVAL);
	assert_int_equal(tier_file_create(&t, "/dev/shm", UINT64_C(1) << 45),
			 -ENOSPC);
	assert_int_equal(tier_file_create(&t, "/dev/null", 1 << 20), -ENOTDIR);
	assert_int_equal(tier_file_create(&t, "/proc", 1 << 20), -ENOTSUP);
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void nothing_stays_open(void **state)
{
	unsigned before = descriptors();
	struct tier *t;

	(void)state;
	t = tier_on((void *[]){ &tmpfs }, ROOM);
	assert_true(descriptors() > before);
	t->ops->destroy(t);
	assert_int_equal(tier_file_create(&t, "/dev/shm", UINT64_C(1) << 45),
			 -ENOSPC);
	assert_int_equal(descriptors(), before);
}

/* The search starts behind the last place taken and has to come around, not
 * run on to places that the file does not have. */
static void places_stay_within_the_file(void **state)
{
	static const unsigned freed[] = { 8, 3, 15, 0, 9, 2 };
	uint8_t *pages = pages_new(ROOM);
	struct tier *t = tier_on(state, ROOM);
	struct tier_io io[ROOM];

	assert_int_equal(store(t, io, pages, ROOM, true), ROOM);
	for (unsigned i = 0; i < 6; i++) {
		unsigned at = freed[i];

		assert_int_equal(io[at].where, at);
		release(t, &io[at], 1);
		assert_int_equal(store(t, &io[at], pages, 1, true), 1);
		assert_int_equal(io[at].where, at);
	}
	release(t, io, ROOM);
	free(pages);
	tier_end(t);
}

/* The file may not grow past place 8, so writes beyond fail: for want of room,
 * which may change. */
static void want_of_room_costs_no_place(void **state)
{
	struct rlimit limit;
	uint8_t *pages = pages_new(ROOM);
	struct tier *t = tier_on(state, ROOM);
	struct tier_io io[ROOM], more[ROOM];
	struct tier_stats st;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE,
		  &(struct rlimit){ 8 * PAGE_SIZE, limit.rlim_max });
	assert_int_equal(store(t, io, pages, ROOM, true), 8);
	assert_int_equal(ended(io, ROOM, -EFBIG), 8);
	assert_int_equal(store(t, more, pages, 8, true), 0);
	assert_int_equal(ended(more, 8, -EFBIG), 8);
	setrlimit(RLIMIT_FSIZE, &limit);
	check_held(t, 8);
	t->ops->stats(t, &st);
	assert_int_equal(st.quarantined, 0);
	assert_int_equal(store(t, more, pages, 8, true), 8);
	release(t, io, ROOM);
	release(t, more, 8);
	free(pages);
	tier_end(t);
}

/* The descriptor of the one unnamed file that is open. */
static int find_unnamed(void)
{
	char link[64], target[256];

	for (int fd = 3; fd < 256; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = 0;
		if (target[0] == '/' && strstr(target, "(deleted)"))
			return fd;
	}
	return -1;
}

/* An administrator cut the file: an error code, no signal. */
static void a_truncated_file_is_an_error(void **state)
{
	uint8_t *pages = pages_new(ROOM);
	struct tier *t = tier_on(state, ROOM);
	struct tier_io io[ROOM];

	assert_int_equal(store(t, io, pages, ROOM, true), ROOM);
	assert_int_equal(ftruncate(find_unnamed(), 4 * PAGE_SIZE), 0);
	t->ops->load(t, io, ROOM);
	assert_int_equal(ended(io, ROOM, 0), 4);
	assert_int_equal(ended(io, ROOM, -EIO), ROOM - 4);
	t->ops->load(t, io + 4, 1);
	assert_int_equal(io[4].error, -EIO);
	for (unsigned i = 0; i < ROOM; i++)
		t->ops->release(t, io[i].where);
	free(pages);
	tier_end(t);
}

#define TEST(t, medium)                                     \
	{                                                   \
#t " (" #medium ")", t, NULL, NULL, &medium \
	}
#define RAM(t)	 TEST(t, lz4), TEST(t, zstd)
#define FILES(t) TEST(t, disk), TEST(t, tmpfs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RAM(pages_come_back),
		FILES(pages_come_back),
		RAM(the_room_is_exact),
		FILES(the_room_is_exact),
		RAM(what_does_not_pay_is_refused),
		FILES(what_does_not_pay_is_refused),
		RAM(threads_do_not_disturb_each_other),
		FILES(threads_do_not_disturb_each_other),
		RAM(zeros_take_little),
		cmocka_unit_test(too_small_a_ram_tier_is_refused),
		cmocka_unit_test(impossible_files_are_refused),
		cmocka_unit_test(nothing_stays_open),
		FILES(places_stay_within_the_file),
		FILES(want_of_room_costs_no_place),
		FILES(a_truncated_file_is_an_error),
	};

	return cmocka_run_group_tests_name("tier", tests, NULL, NULL);
}
