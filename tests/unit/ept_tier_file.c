/* SPDX-License-Identifier: MIT */
/* What is particular to tiers in a file: its places, and what may befall it. */
#include "tests/unit/tier_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(impossible_files_are_refused),
		cmocka_unit_test(nothing_stays_open),
		FILES(places_stay_within_the_file),
		FILES(want_of_room_costs_no_place),
		FILES(a_truncated_file_is_an_error),
	};

	return cmocka_run_group_tests_name("tier_file", tests, NULL, NULL);
}
