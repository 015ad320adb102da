/* SPDX-License-Identifier: MIT */
/* The virtio disk at work. What its driver and its host do to it:
 * dev_blk_hostile.c. Whose memory it uses: dev_blk_pages.c. */
#include <errno.h>
#include <sys/resource.h>

#include "tests/unit/blk_fixture.h"

static void it_says_what_it_is(void **state)
{
	struct blk_config c = { .capacity = 0 };

	(void)state;
	assert_int_equal(reg(VIRTIO_DEVICE_ID), VIRTIO_ID_BLK);
	virtio_config_get(dev, 0, &c, sizeof(c));
	assert_int_equal(c.capacity, SECTORS);
	assert_int_equal(c.blk_size, 512);
	assert_int_equal(c.num_queues, 1);
	set(VIRTIO_DEVICE_FEATURES_SEL, 0);
	assert_false(reg(VIRTIO_DEVICE_FEATURES) & BLK_F_RO);
}

static void sectors_are_read_and_written(void **state)
{
	uint8_t bytes[8 * BLK_SECTOR], back[8 * BLK_SECTOR];

	(void)state;
	assert_int_equal(request(BLK_IN, 100, DATA, 8 * BLK_SECTOR), BLK_OK);
	assert_int_equal(last_used().len, 8 * BLK_SECTOR + 1);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(word(DATA + i * BLK_SECTOR), 100 + i);
	memset(bytes, 0xa5, sizeof(bytes));
	put(DATA, bytes, sizeof(bytes));
	assert_int_equal(request(BLK_OUT, 200, DATA, 8 * BLK_SECTOR), BLK_OK);
	assert_int_equal(last_used().len, 1);
	assert_int_equal(pread(file, back, sizeof(back), 200 * BLK_SECTOR),
			 sizeof(back));
	assert_memory_equal(back, bytes, sizeof(back));
	assert_int_equal(request(BLK_FLUSH, 0, 0, 0), BLK_OK);
	assert_int_equal(dev->count.requests, 3);
	assert_int_equal(dev->count.bytes, 16 * BLK_SECTOR);
	assert_int_equal(dev->count.errors, 0);
}

/* A request in pieces of every size, in an indirect table. */
static void data_lies_anywhere(void **state)
{
	static const uint32_t len[] = { 1, 511, 700, 3000 };
	uint32_t all = 0;

	(void)state;
	put_header(BLK_IN, 7);
	put_desc(TABLE, 0, HEADER, 16, VQ_DESC_NEXT, 1);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t n = i < 4 ? len[i] : 9 * BLK_SECTOR - all;

		put_desc(TABLE, 1 + i, DATA + i * 3 * PAGE_SIZE + 4090, n,
			 VQ_DESC_NEXT | VQ_DESC_WRITE, 2 + i);
		all += n;
	}
	put_desc(TABLE, 6, STATUS, 1, VQ_DESC_WRITE, 0);
	put_desc(DESC, 0, TABLE, 7 * 16, VQ_DESC_INDIRECT, 0);
	kick();
	assert_int_equal(status(), BLK_OK);
	assert_int_equal(word(DATA + 4090) & 0xff, 7);
	assert_int_equal(word(DATA + 2 * 3 * PAGE_SIZE + 4090), 8);
}

/* D18 */
static void other_requests(void **state)
{
	uint8_t id[BLK_SERIAL + 1] = "";

	(void)state;
	assert_int_equal(request(2, 0, DATA, 512), BLK_UNSUPP); /* SCSI */
	assert_int_equal(request(99, 0, DATA, 512), BLK_UNSUPP);
	assert_int_equal(request(BLK_GET_ID, 0, DATA, BLK_SERIAL), BLK_OK);
	get(DATA, id, BLK_SERIAL);
	assert_string_equal((char *)id, "serial-0123456789abc");
	put(DATA, "xxxxx", 5);
	assert_int_equal(request(BLK_GET_ID, 0, DATA, 3), BLK_OK);
	get(DATA, id, 5);
	assert_memory_equal(id, "serxx", 5);
}

static void ranges_become_zeros(void **state)
{
	(void)state;
	assert_int_equal(range_request(BLK_DISCARD, 80, 8, 0, 16), BLK_OK);
	assert_zeros(80);
	assert_int_equal(range_request(BLK_WRITE_ZEROES, 160, 8, 0, 16),
			 BLK_OK);
	assert_zeros(160);
	assert_int_equal(range_request(BLK_WRITE_ZEROES, 240, 8, 1, 16),
			 BLK_OK);
	assert_zeros(240);
}

/* D21 */
static void a_readonly_disk(void **state)
{
	(void)state;
	destroy();
	make_disk(dup(file), SECTORS * BLK_SECTOR, true);
	set(VIRTIO_DEVICE_FEATURES_SEL, 0);
	assert_int_equal(
		reg(VIRTIO_DEVICE_FEATURES) &
			(BLK_F_RO | BLK_F_DISCARD | BLK_F_WRITE_ZEROES),
		BLK_F_RO);
	start_disk();
	assert_int_equal(request(BLK_OUT, 5, DATA, 512), BLK_IOERR);
	assert_int_equal(range_request(BLK_DISCARD, 5, 1, 0, 16), BLK_IOERR);
	assert_int_equal(range_request(BLK_WRITE_ZEROES, 5, 1, 0, 16),
			 BLK_IOERR);
	assert_int_equal(request(BLK_IN, 5, DATA, 512), BLK_OK);
	assert_int_equal(word(DATA), 5);
	assert_int_equal(request(BLK_FLUSH, 0, 0, 0), BLK_OK);
}

/* C19: as many as the queue takes, at once, more pages than may be held. */
static void a_full_queue(void **state)
{
	const unsigned n = SIZE / 2;
	uint8_t byte;

	(void)state;
	put_header(BLK_IN, 0);
	for (unsigned i = 0; i < n; i++) {
		uint64_t table = TABLE + i * 64;

		put_desc(table, 0, HEADER, 16, VQ_DESC_NEXT, 1);
		put_desc(table, 1, DATA, SECTORS * BLK_SECTOR,
			 VQ_DESC_NEXT | VQ_DESC_WRITE, 2);
		put_desc(table, 2, STATUS + i, 1, VQ_DESC_WRITE, 0);
		put_desc(DESC, i, table, 48, VQ_DESC_INDIRECT, 0);
		put(STATUS + i, "x", 1);
		offer(SIZE, i);
		asked++;
	}
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(status(), BLK_OK);
	for (unsigned i = 0; i < n; i++) {
		get(STATUS + i, &byte, 1);
		assert_int_equal(byte, BLK_OK);
	}
	assert_int_equal(dev->count.bytes, n * SECTORS * BLK_SECTOR);
}

/* Where io_uring cannot be had, plain calls do the same. */
static void a_disk_without_a_ring(void **state)
{
	struct rlimit limit, none;

	(void)state;
	destroy();
	make_disk(dup(file), SECTORS * BLK_SECTOR, false);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0; /* no more descriptors */
	setrlimit(RLIMIT_NOFILE, &none);
	start_disk();
	assert_int_equal(request(BLK_IN, 44, DATA, 4096), BLK_OK);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(dev->event, -1);
	assert_int_equal(word(DATA), 44);
	put(DATA, "abcd", 4);
	assert_int_equal(request(BLK_OUT, 45, DATA, 512), BLK_OK);
	assert_int_equal(request(BLK_FLUSH, 0, 0, 0), BLK_OK);
	assert_int_equal(range_request(BLK_WRITE_ZEROES, 80, 8, 0, 16), BLK_OK);
	assert_zeros(80);
	assert_int_equal(request(BLK_IN, 45, DATA, 512), BLK_OK);
	assert_int_equal(word(DATA), 0x64636261);
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(request(BLK_IN, 45, DATA, 512), BLK_IOERR);
}

static int make_nothing(void *ctx, int *fd)
{
	(void)ctx, (void)fd;
	return -ENOSPC;
}

/* An image that cannot be made when it is first wanted. */
static void an_image_that_cannot_be_made(void **state)
{
	const struct blk_image image = {
		.fd = -1, .bytes = BLK_SECTOR, .queues = 1, .make = make_nothing
	};
	const struct virtio_host host = test_host();

	(void)state;
	destroy();
	assert_int_equal(virtio_blk_create(&dev, &image, &host), 0);
	start_disk();
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_NEEDS_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLK_TEST(it_says_what_it_is),
		BLK_TEST(sectors_are_read_and_written),
		BLK_TEST(data_lies_anywhere),
		BLK_TEST(other_requests),
		BLK_TEST(ranges_become_zeros),
		BLK_TEST(a_readonly_disk),
		BLK_TEST(a_full_queue),
		BLK_TEST(a_disk_without_a_ring),
		BLK_TEST(an_image_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
