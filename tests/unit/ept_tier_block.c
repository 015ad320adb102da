/* SPDX-License-Identifier: MIT */
/* The file tier on a block device: a loop device, which needs root. It goes
 * away by itself when the last descriptor is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/tier.h"
#include "tests/unit/ept_pages.h"

#define ROOM 40 /* pages of the device */

static char path[32];
static int device = -1;

/* Make @file a loop device. Another process may be faster: then once more. */
static int attach(int file)
{
	struct loop_config c = { .fd = (uint32_t)file,
				 .info.lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -1;

	for (unsigned tries = 0; control >= 0 && fd < 0 && tries < 20;
	     tries++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		snprintf(path, sizeof(path), "/dev/loop%d", n);
		fd = n < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &c)) {
			close(fd);
			fd = -1;
		}
	}
	if (control >= 0)
		close(control);
	return fd;
}

static int device_open(void **state)
{
	int file = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)state;
	if (file < 0 || ftruncate(file, ROOM * PAGE_SIZE + 512))
		return 1;
	device = attach(file);
	if (device < 0)
		printf("# SKIP: no loop device to be had (not root?)\n");
	close(file);
	return 0;
}

static int device_close(void **state)
{
	(void)state;
	if (device >= 0)
		close(device);
	device = -1;
	return 0;
}

static void need_device(void)
{
	if (device < 0)
		skip();
}

static void pages_come_back(void **state)
{
	uint8_t *out = pages_new(TIER_BATCH), *in = pages_new(TIER_BATCH);
	struct tier_io io[TIER_BATCH];
	struct tier_stats st;
	struct tier *t;

	(void)state;
	need_device();
	assert_int_equal(tier_file_create(&t, path, 0), 0);
	for (unsigned i = 0; i < TIER_BATCH; i++) {
		page_random(out + i * PAGE_SIZE, i);
		io[i] = (struct tier_io){ .page = out + i * PAGE_SIZE };
	}
	t->ops->store(t, io, TIER_BATCH, true);
	t->ops->stats(t, &st);
	assert_int_equal(st.pages, ROOM); /* what is no page is not used */
	assert_int_equal(st.room_bytes, 0);
	assert_int_equal(io[ROOM - 1].error, 0);
	assert_int_equal(io[ROOM].error, -ENOSPC);
	for (unsigned i = 0; i < ROOM; i++)
		io[i].page = in + i * PAGE_SIZE;
	t->ops->load(t, io, ROOM);
	assert_memory_equal(in, out, ROOM * PAGE_SIZE);
	for (unsigned i = 0; i < ROOM; i++)
		t->ops->release(t, io[i].where);
	t->ops->destroy(t);
	free(out);
	free(in);
}

static void the_size_is_kept_to(void **state)
{
	struct tier_stats st;
	struct tier *t;

	(void)state;
	need_device();
	assert_int_equal(tier_file_create(&t, path, 7 * PAGE_SIZE + 1), 0);
	t->ops->stats(t, &st);
	assert_int_equal(st.limit_bytes, 7 * PAGE_SIZE);
	t->ops->destroy(t);
	assert_int_equal(tier_file_create(&t, path, (ROOM + 1) * PAGE_SIZE),
			 -ENOSPC);
	assert_int_equal(tier_file_create(&t, path, PAGE_SIZE - 1), -EINVAL);
}

static void a_device_in_use_is_refused(void **state)
{
	struct tier *first, *second;

	(void)state;
	need_device();
	assert_int_equal(tier_file_create(&first, path, 0), 0);
	assert_int_equal(tier_file_create(&second, path, 0), -EBUSY);
	first->ops->destroy(first);
	assert_int_equal(tier_file_create(&first, path, 0), 0);
	first->ops->destroy(first);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, device_open, device_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(pages_come_back),
		TEST(the_size_is_kept_to),
		TEST(a_device_in_use_is_refused),
	};

	return cmocka_run_group_tests_name("block tier", tests, NULL, NULL);
}
