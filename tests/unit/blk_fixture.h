/* SPDX-License-Identifier: MIT */
/* The virtio disk on a temporary file, driven as a driver would. */
#ifndef TESTS_UNIT_BLK_FIXTURE_H
#define TESTS_UNIT_BLK_FIXTURE_H

#include <fcntl.h>
#include <sys/mman.h>

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

static inline void make_disk(int fd, uint64_t bytes, bool readonly)
{
	const struct blk_image image = { .fd = fd,
					 .bytes = bytes,
					 .readonly = readonly,
					 .queues = 1,
					 .serial = "serial-0123456789abc" };
	const struct virtio_host host = test_host();

	assert_int_equal(virtio_blk_create(&dev, &image, &host), 0);
}

static inline void start_disk(void)
{
	bring_up(BLK_F_FLUSH | VIRTIO_F_INDIRECT, SIZE);
	asked = 0;
}

/* Sector n begins with n. */
static inline void setup_image(void)
{
	file = memfd_create("image", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file, SECTORS * BLK_SECTOR), 0);
	for (uint32_t i = 0; i < SECTORS; i++)
		assert_int_equal(pwrite(file, &i, sizeof(i), i * BLK_SECTOR),
				 sizeof(i));
}

static inline int setup(void **state)
{
	(void)state;
	ram_make();
	setup_image();
	make_disk(dup(file), SECTORS * BLK_SECTOR, false);
	start_disk();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	destroy();
	close(file);
	ram_free();
	return 0;
}

static inline void put_header(uint32_t type, uint64_t sector)
{
	const struct blk_header h = { .type = type, .sector = sector };
	const uint8_t nothing = NOTHING;

	put(HEADER, &h, sizeof(h));
	put(STATUS, &nothing, 1);
}

static inline void kick(void)
{
	offer(SIZE, 0);
	asked++;
	set(VIRTIO_QUEUE_NOTIFY, 0);
}

static inline uint8_t status(void)
{
	uint8_t byte;

	while (used_idx() != (uint16_t)asked)
		interrupt();
	get(STATUS, &byte, 1);
	return byte;
}

/* Header, @len bytes of data at @data, status. */
static inline void put_request(uint32_t type, uint64_t sector, uint64_t data,
			       uint32_t len)
{
	bool in = type == BLK_IN || type == BLK_GET_ID;

	put_header(type, sector);
	put_desc(DESC, 0, HEADER, 16, VQ_DESC_NEXT, len ? 1 : 2);
	put_desc(DESC, 1, data, len, VQ_DESC_NEXT | (in ? VQ_DESC_WRITE : 0),
		 2);
	put_desc(DESC, 2, STATUS, 1, VQ_DESC_WRITE, 0);
}

static inline uint8_t request(uint32_t type, uint64_t sector, uint64_t data,
			      uint32_t len)
{
	put_request(type, sector, data, len);
	kick();
	return status();
}

static inline uint32_t word(uint64_t at)
{
	uint32_t v;

	get(at, &v, sizeof(v));
	return v;
}

static inline struct vq_used last_used(void)
{
	return used_entry((asked - 1) % SIZE);
}

static inline uint8_t range_request(uint32_t type, uint64_t sector,
				    uint32_t sectors, uint32_t flags,
				    uint32_t len)
{
	const struct blk_range range = { sector, sectors, flags };

	put(DATA, &range, sizeof(range));
	return request(type, 0, DATA, len);
}

/* Sectors @first to @first + 7 read as zeros, their neighbours do not. */
static inline void assert_zeros(uint32_t first)
{
	uint32_t w;

	for (uint32_t i = first - 1; i <= first + 8; i++) {
		assert_int_equal(pread(file, &w, sizeof(w), i * BLK_SECTOR),
				 sizeof(w));
		assert_int_equal(w, i < first || i > first + 7 ? i : 0);
	}
}

#define BLK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
