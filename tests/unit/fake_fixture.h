/* SPDX-License-Identifier: MIT */
/* A virtio device of a kind that only takes notes. */
#ifndef TESTS_UNIT_FAKE_FIXTURE_H
#define TESTS_UNIT_FAKE_FIXTURE_H

#include <errno.h>

#include "tests/unit/virtio_fixture.h"

#define QUEUES	 3
#define SIZE	 16
#define FEATURES ((UINT64_C(1) << 5) | (UINT64_C(1) << 40))
#define CONFIG	 12 /* bytes */

static struct {
	struct virtio v;
	_Atomic unsigned starts, resets, queues, destroyed;
	_Atomic bool started;
	_Atomic bool hold; /* whoever looks at a queue waits */
	enum virtio_work says;
	int start_error;
	unsigned config_at, config_len, configs;
	uint64_t config_value;
} fake;

static inline int fake_start(struct virtio *v)
{
	(void)v;
	assert_false(fake.started);
	fake.started = true;
	fake.starts++;
	return fake.start_error;
}

/* Gives every chain back unread. */
static inline enum virtio_work fake_queue(struct virtio *v, unsigned n)
{
	static struct vq_chain chain;
	enum vq_take take = VQ_TAKEN;

	assert_true(fake.started);
	fake.queues++;
	while (fake.hold)
		usleep(100);
	if (fake.says != VIRTIO_DONE)
		return fake.says;
	for (unsigned i = 0; i < SIZE && take == VQ_TAKEN; i++) {
		take = virtqueue_take(&v->queue[n], &chain);
		if (take == VQ_BROKEN ||
		    (take == VQ_TAKEN && !virtio_give(v, n, chain.head, 0)))
			return VIRTIO_BROKEN;
	}
	return take == VQ_TAKEN ? VIRTIO_MORE : VIRTIO_DONE;
}

static inline void fake_reset(struct virtio *v)
{
	(void)v;
	assert_true(fake.started);
	fake.started = false;
	fake.resets++;
}

static inline void fake_config(struct virtio *v, unsigned offset, unsigned len,
			       uint64_t value)
{
	(void)v;
	fake.configs++;
	fake.config_at = offset;
	fake.config_len = len;
	fake.config_value = value;
}

static inline void fake_destroy(struct virtio *v)
{
	(void)v;
	assert_false(fake.started);
	fake.destroyed++;
}

static const struct virtio_ops ops = {
	.start = fake_start,
	.queue = fake_queue,
	.reset = fake_reset,
	.config = fake_config,
	.destroy = fake_destroy,
};

static inline int setup(void **state)
{
	static const uint8_t config[CONFIG] = { 1, 2, 3, 4,  5,	 6,
						7, 8, 9, 10, 11, 12 };
	const struct virtio_kind kind = { .ops = &ops,
					  .name = "fake",
					  .id = VIRTIO_ID_RNG,
					  .features = FEATURES,
					  .queues = QUEUES,
					  .queue_size = SIZE };
	const struct virtio_host host = test_host();

	(void)state;
	memset(&fake, 0, sizeof(fake));
	dev = &fake.v;
	assert_int_equal(virtio_init(dev, &kind, &host), 0);
	virtio_config_set(dev, 0, config, CONFIG);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	destroy();
	assert_int_equal(fake.destroyed, 1);
	assert_int_equal(fake.starts, fake.resets);
	return 0;
}

static inline int make_ram(void **state)
{
	(void)state;
	ram_make();
	return 0;
}

static inline int free_ram(void **state)
{
	(void)state;
	ram_free();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
