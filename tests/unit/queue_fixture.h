/* SPDX-License-Identifier: MIT */
/* A split virtqueue, without a device. */
#ifndef TESTS_UNIT_QUEUE_FIXTURE_H
#define TESTS_UNIT_QUEUE_FIXTURE_H

#include "tests/unit/virtio_fixture.h"

#define SIZE 8

static struct virtqueue q;
static struct vq_chain chain;

static inline int setup(void **state)
{
	(void)state;
	ram_make();
	clear_queue();
	q = (struct virtqueue){
		.memory = ram,
		.size = SIZE,
		.desc = { DESC },
		.driver = { DRIVER },
		.device = { DEVICE },
		.indirect = true,
	};
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	ram_free();
	return 0;
}

static inline void take(enum vq_take want)
{
	assert_int_equal(virtqueue_take(&q, &chain), want);
}

/* A queue that makes no sense still makes none when asked again. */
static inline void take_broken(void)
{
	take(VQ_BROKEN);
	take(VQ_BROKEN);
}

/* Descriptors 0 to @n - 1 in a chain, the last @writable of them writable, of
 * 16 bytes each. */
static inline void put_chain(uint64_t table, unsigned n, unsigned writable)
{
	for (unsigned i = 0; i < n; i++)
		put_desc(table, i, BUFFERS + i * PAGE_SIZE, 16,
			 (i + 1 < n ? VQ_DESC_NEXT : 0) |
				 (i + writable >= n ? VQ_DESC_WRITE : 0),
			 i + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
