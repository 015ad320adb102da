/* SPDX-License-Identifier: MIT */
/*
 * The virtio disk on a temporary file, driven as a driver would. Cases D16 to
 * D24 are those of HOSTILE.md, section 1 D. (D25, the lock: vmm_disk.c.)
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "devices/virtio_blk.h"
#include "tests/unit/virtio_fixture.h"

#define SIZE	16u
#define SECTORS 2048u
#define HEADER	BUFFERS
#define STATUS	(BUFFERS + 0x100)
#define DATA	(BUFFERS + PAGE_SIZE)
#define NOTHING 0x55

static int file; /* the image, ours */
static unsigned asked; /* requests since bring_up */

static void make_disk(int fd, uint64_t bytes, bool readonly)
{
	const struct blk_image image = { .fd = fd,
					 .bytes = bytes,
					 .readonly = readonly,
					 .queues = 1,
					 .serial = "serial-0123456789abc" };
	const struct virtio_host host = test_host();

	assert_int_equal(virtio_blk_create(&dev, &image, &host), 0);
}

static void start_disk(void)
{
	bring_up(BLK_F_FLUSH | VIRTIO_F_INDIRECT, SIZE);
	asked = 0;
}

/* Sector n begins with n. */
static int setup(void **state)
{
	(void)state;
	ram_make();
	file = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file, SECTORS * BLK_SECTOR), 0);
	for (uint32_t i = 0; i < SECTORS; i++)
		assert_int_equal(pwrite(file, &i, sizeof(i), i * BLK_SECTOR),
				 sizeof(i));
	make_disk(dup(file), SECTORS * BLK_SECTOR, false);
	start_disk();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	destroy();
	close(file);
	ram_free();
	return 0;
}

static void put_header(uint32_t type, uint64_t sector)
{
	const struct blk_header h = { .type = type, .sector = sector };
	const uint8_t nothing = NOTHING;

	put(HEADER, &h, sizeof(h));
	put(STATUS, &nothing, 1);
}

static void kick(void)
{
	offer(SIZE, 0);
	asked++;
	set(VIRTIO_QUEUE_NOTIFY, 0);
}

static uint8_t status(void)
{
	uint8_t byte;

	while (used_idx() != (uint16_t)asked)
		interrupt();
	get(STATUS, &byte, 1);
	return byte;
}

/* Header, @len bytes of data at @data, status. */
static void put_request(uint32_t type, uint64_t sector, uint64_t data,
			uint32_t len)
{
	bool in = type == BLK_IN || type == BLK_GET_ID;

	put_header(type, sector);
	put_desc(DESC, 0, HEADER, 16, VQ_DESC_NEXT, len ? 1 : 2);
	put_desc(DESC, 1, data, len, VQ_DESC_NEXT | (in ? VQ_DESC_WRITE : 0),
		 2);
	put_desc(DESC, 2, STATUS, 1, VQ_DESC_WRITE, 0);
}

static uint8_t request(uint32_t type, uint64_t sector, uint64_t data,
		       uint32_t len)
{
	put_request(type, sector, data, len);
	kick();
	return status();
}

static uint32_t word(uint64_t at)
{
	uint32_t v;

	get(at, &v, sizeof(v));
	return v;
}

static struct vq_used last_used(void)
{
	return used_entry((asked - 1) % SIZE);
}

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

static uint8_t range_request(uint32_t type, uint64_t sector, uint32_t sectors,
			     uint32_t flags, uint32_t len)
{
	const struct blk_range range = { sector, sectors, flags };

	put(DATA, &range, sizeof(range));
	return request(type, 0, DATA, len);
}

/* Sectors @first to @first + 7 read as zeros, their neighbours do not. */
static void assert_zeros(uint32_t first)
{
	uint32_t w;

	for (uint32_t i = first - 1; i <= first + 8; i++) {
		assert_int_equal(pread(file, &w, sizeof(w), i * BLK_SECTOR),
				 sizeof(w));
		assert_int_equal(w, i < first || i > first + 7 ? i : 0);
	}
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
	assert_int_equal(request(BLK_IN, 0, DATA, BLK_REQUEST_MAX), BLK_OK);
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

/* C19: as many as the queue takes, at once, more bytes than may be in flight. */
static void a_full_queue(void **state)
{
	const unsigned n = SIZE / 2;
	uint8_t byte;

	(void)state;
	put_header(BLK_IN, 0);
	for (unsigned i = 0; i < n; i++) {
		uint64_t table = TABLE + i * 64;

		put_desc(table, 0, HEADER, 16, VQ_DESC_NEXT, 1);
		put_desc(table, 1, DATA, BLK_REQUEST_MAX,
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
	assert_int_equal(dev->count.bytes, n * BLK_REQUEST_MAX);
}

/* D23: a reset while the host reads; that read must not reach the guest, and
 * the next request waits for it. The image is a pipe, which answers when we
 * say so. */
static void a_reset_with_requests_in_flight(void **state)
{
	char old[512], new[512];
	int pipes[2];

	(void)state;
	memset(old, 'o', sizeof(old));
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
	put_request(BLK_IN, 0, DATA + PAGE_SIZE, 512);
	kick();
	assert_int_equal(write(pipes[1], old, 512), 512);
	assert_int_equal(write(pipes[1], new, 512), 512);
	assert_int_equal(status(), BLK_OK);
	assert_int_equal(used_idx(), 1);

	get(DATA, old, 4);
	assert_memory_equal(old, "mine", 4);
	get(DATA + PAGE_SIZE, old, 512);
	assert_memory_equal(old, new, 512);
	close(pipes[1]);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_what_it_is),
		TEST(sectors_are_read_and_written),
		TEST(data_lies_anywhere),
		TEST(sectors_beyond_the_end),
		TEST(a_request_without_status),
		TEST(a_request_without_header),
		TEST(other_requests),
		TEST(ranges_become_zeros),
		TEST(ranges_that_make_no_sense),
		TEST(lengths_that_make_no_sense),
		TEST(data_that_is_no_ram),
		TEST(a_readonly_disk),
		TEST(errors_of_the_host),
		TEST(an_image_that_shrinks),
		TEST(a_full_queue),
		TEST(a_reset_with_requests_in_flight),
		TEST(a_disk_without_a_ring),
		TEST(an_image_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
