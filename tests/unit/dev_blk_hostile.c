/* SPDX-License-Identifier: MIT */
/*
 * A disk whose driver or host does what it should not. Cases D16 to D24 are
 * those of docs/hostile.md. (D18 and D21: dev_virtio_blk.c; D25, the lock:
 * vmm_disk.c.)
 */
#include "tests/unit/blk_fixture.h"

/* D16 */
static void sectors_beyond_the_end(void **state)
{
	static const uint64_t beyond[] = {
		SECTORS,	SECTORS - 7,	  UINT64_MAX,
		UINT64_MAX - 7, UINT64_MAX / 512, UINT64_C(1) << 55
	};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(request(BLK_IN, beyond[i], DATA, 4096),
				 BLK_IOERR);
		assert_int_equal(last_used().len, 0);
		assert_int_equal(request(BLK_OUT, beyond[i], DATA, 4096),
				 BLK_IOERR);
	}
	assert_int_equal(request(BLK_IN, SECTORS - 8, DATA, 4096), BLK_OK);
	assert_int_equal(dev->count.errors, 12);
	assert_int_equal(lseek(file, 0, SEEK_END), SECTORS * BLK_SECTOR);
}

static void expect_needs_reset(void)
{
	unsigned before = (unsigned)dev->count.needs_reset;

	kick();
	while (!(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET))
		interrupt();
	assert_int_equal(dev->count.needs_reset, before + 1);
	start_disk();
	assert_int_equal(request(BLK_IN, 3, DATA, 512), BLK_OK);
	assert_int_equal(word(DATA), 3);
}

/* D17 */
static void a_request_without_status(void **state)
{
	(void)state;
	put_request(BLK_IN, 0, DATA, 512);
	put_desc(DESC, 1, DATA, 512, 0, 0); /* nothing is writable */
	expect_needs_reset();
	put_request(BLK_IN, 0, DATA, 512);
	put_desc(DESC, 2, HOLE, 1, VQ_DESC_WRITE, 0);
	expect_needs_reset();
}

/* C9 for the disk: a header that is too short, or writable. */
static void a_request_without_header(void **state)
{
	(void)state;
	put_request(BLK_IN, 0, DATA, 512);
	put_desc(DESC, 0, HEADER, 15, VQ_DESC_NEXT, 1);
	kick();
	assert_int_equal(status(), BLK_IOERR);
	put_desc(DESC, 0, STATUS, 1, VQ_DESC_WRITE, 0);
	kick();
	assert_int_equal(status(), BLK_IOERR);
	put_request(BLK_IN, 0, DATA, 512);
	put_desc(DESC, 0, HOLE, 16, VQ_DESC_NEXT, 1);
	kick();
	assert_int_equal(status(), BLK_IOERR);
}

/* D19 */
static void ranges_that_make_no_sense(void **state)
{
	static const uint32_t types[] = { BLK_DISCARD, BLK_WRITE_ZEROES };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(range_request(types[i], 0, UINT32_MAX, 0, 16),
				 BLK_IOERR);
		assert_int_equal(range_request(types[i], UINT64_MAX, 8, 0, 16),
				 BLK_IOERR);
		assert_int_equal(range_request(types[i], SECTORS - 7, 8, 0, 16),
				 BLK_IOERR);
		assert_int_equal(range_request(types[i], 8, 0, 0, 16),
				 BLK_IOERR);
		assert_int_equal(range_request(types[i], 8, 8, 2, 16),
				 BLK_UNSUPP);
		assert_int_equal(range_request(types[i], 8, 8, 0, 15),
				 BLK_UNSUPP);
		assert_int_equal(range_request(types[i], 8, 8, 0, 32),
				 BLK_UNSUPP);
		assert_int_equal(range_request(types[i], 8, 8, 0, 0),
				 BLK_UNSUPP);
	}
	assert_int_equal(range_request(BLK_DISCARD, 8, 8, 1, 16), BLK_UNSUPP);
	assert_int_equal(lseek(file, 0, SEEK_END), SECTORS * BLK_SECTOR);
}

/* D20 */
static void lengths_that_make_no_sense(void **state)
{
	(void)state;
	assert_int_equal(request(BLK_IN, 0, DATA, 0), BLK_IOERR);
	assert_int_equal(request(BLK_IN, 0, DATA, 513), BLK_IOERR);
	assert_int_equal(request(BLK_OUT, 0, DATA, 0), BLK_IOERR);
	assert_int_equal(request(BLK_OUT, 0, DATA, 511), BLK_IOERR);
	assert_int_equal(request(BLK_OUT, 0, DATA, 0xfffffe00), BLK_IOERR);
	assert_int_equal(request(BLK_IN, 0, DATA, SECTORS * BLK_SECTOR),
			 BLK_OK);
}

/* C7 for the disk. */
static void data_that_is_no_ram(void **state)
{
	uint32_t w;

	(void)state;
	assert_int_equal(request(BLK_IN, 0, HOLE, 512), BLK_IOERR);
	assert_int_equal(request(BLK_OUT, 9, HOLE, 512), BLK_IOERR);
	assert_int_equal(request(BLK_OUT, 9, UINT64_MAX - 99, 512), BLK_IOERR);
	assert_int_equal(pread(file, &w, sizeof(w), 9 * BLK_SECTOR), 4);
	assert_int_equal(w, 9);
}

/* D22, F1: what the host refuses is never reported as success. */
static void errors_of_the_host(void **state)
{
	(void)state;
	destroy();
	make_disk(open("/dev/full", O_RDWR), SECTORS * BLK_SECTOR, false);
	start_disk();
	assert_int_equal(request(BLK_OUT, 5, DATA, 512), BLK_IOERR);
	assert_int_equal(request(BLK_FLUSH, 0, 0, 0), BLK_IOERR);
	assert_int_not_equal(range_request(BLK_DISCARD, 5, 1, 0, 16), BLK_OK);
	assert_int_equal(dev->count.errors, 3);
	assert_int_equal(dev->count.bytes, 0);
}

/* D24 */
static void an_image_that_shrinks(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(file, 10 * BLK_SECTOR), 0);
	assert_int_equal(request(BLK_IN, 9, DATA, 512), BLK_OK);
	assert_int_equal(request(BLK_IN, 9, DATA, 1024), BLK_IOERR);
	assert_int_equal(request(BLK_IN, 10, DATA, 512), BLK_IOERR);
	assert_int_equal(ftruncate(file, SECTORS * BLK_SECTOR), 0);
	assert_int_equal(request(BLK_IN, 10, DATA, 512), BLK_OK);
}

/* D23: a reset while the host reads: that read is given up, and never reaches
 * the guest. The image is a pipe, which answers when we say so. */
static void a_reset_with_requests_in_flight(void **state)
{
	char old[512], new[512];
	int pipes[2];

	(void)state;
	memset(new, 'n', sizeof(new));
	assert_int_equal(pipe(pipes), 0);
	destroy();
	make_disk(pipes[0], SECTORS * BLK_SECTOR, false);
	start_disk();
	put_request(BLK_IN, 0, DATA, 512);
	kick();
	put(DATA, "mine", 4);
	while (!__atomic_load_n(&dev->queue[0].seen, __ATOMIC_RELAXED))
		usleep(100); /* else it would not be in flight */
	start_disk();
	assert_int_equal(write(pipes[1], new, 512), 512);
	assert_int_equal(request(BLK_IN, 0, DATA + PAGE_SIZE, 512), BLK_OK);
	assert_int_equal(used_idx(), 1);

	get(DATA, old, 4);
	assert_memory_equal(old, "mine", 4);
	get(DATA + PAGE_SIZE, old, 512);
	assert_memory_equal(old, new, 512);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLK_TEST(sectors_beyond_the_end),
		BLK_TEST(a_request_without_status),
		BLK_TEST(a_request_without_header),
		BLK_TEST(ranges_that_make_no_sense),
		BLK_TEST(lengths_that_make_no_sense),
		BLK_TEST(data_that_is_no_ram),
		BLK_TEST(errors_of_the_host),
		BLK_TEST(an_image_that_shrinks),
		BLK_TEST(a_reset_with_requests_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
