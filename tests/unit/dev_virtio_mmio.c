/* SPDX-License-Identifier: MIT */
/*
 * The transport's registers, one by one, and its thread's orders, with a device
 * kind that only takes notes. The cases are those of HOSTILE.md, sections
 * 1 B and 1 C.
 */
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
	enum virtio_work says;
	int start_error;
	unsigned config_at, config_len, configs;
	uint64_t config_value;
} fake;

static int fake_start(struct virtio *v)
{
	(void)v;
	assert_false(fake.started);
	fake.started = true;
	fake.starts++;
	return fake.start_error;
}

/* Gives every chain back unread. */
static enum virtio_work fake_queue(struct virtio *v, unsigned n)
{
	static struct vq_chain chain;
	enum vq_take take = VQ_TAKEN;

	assert_true(fake.started);
	fake.queues++;
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

static void fake_reset(struct virtio *v)
{
	(void)v;
	assert_true(fake.started);
	fake.started = false;
	fake.resets++;
}

static void fake_config(struct virtio *v, unsigned offset, unsigned len,
			uint64_t value)
{
	(void)v;
	fake.configs++;
	fake.config_at = offset;
	fake.config_len = len;
	fake.config_value = value;
}

static void fake_destroy(struct virtio *v)
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

static int setup(void **state)
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

static int teardown(void **state)
{
	(void)state;
	destroy();
	assert_int_equal(fake.destroyed, 1);
	assert_int_equal(fake.starts, fake.resets);
	return 0;
}

static int make_ram(void **state)
{
	(void)state;
	ram_make();
	return 0;
}

static int free_ram(void **state)
{
	(void)state;
	ram_free();
	return 0;
}

static void who_it_is(void **state)
{
	(void)state;
	assert_int_equal(reg(VIRTIO_MAGIC_VALUE), 0x74726976);
	assert_int_equal(reg(VIRTIO_VERSION_VALUE), 2);
	assert_int_equal(reg(VIRTIO_DEVICE_ID), VIRTIO_ID_RNG);
	assert_int_equal(reg(VIRTIO_VENDOR_ID), VIRTIO_VENDOR);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	assert_int_equal(reg(VIRTIO_SHM_LEN_LOW), UINT32_MAX);
	assert_int_equal(reg(VIRTIO_SHM_BASE_HIGH), UINT32_MAX);
}

static void features_come_in_halves(void **state)
{
	const uint64_t all = FEATURES | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT |
			     VIRTIO_F_EVENT_IDX;

	(void)state;
	set(VIRTIO_DEVICE_FEATURES_SEL, 0);
	assert_int_equal(reg(VIRTIO_DEVICE_FEATURES), (uint32_t)all);
	set(VIRTIO_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(reg(VIRTIO_DEVICE_FEATURES), all >> 32);
	for (unsigned i = 2; i; i <<= 1) {
		set(VIRTIO_DEVICE_FEATURES_SEL, i);
		assert_int_equal(reg(VIRTIO_DEVICE_FEATURES), 0);
	}
}

/* B1: whatever the offset, width and alignment, an answer; only registers
 * answer with more than 0, and no width but 32 bits. */
static void every_access_has_an_answer(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 0x1000; at++)
		for (unsigned len = 1; len <= 8 && at + len <= 0x1000;
		     len *= 2) {
			uint64_t got =
				dev->device.ops->read(&dev->device, at, len);

			if (at < VIRTIO_CONFIG && (len != 4 || at % 4))
				assert_int_equal(got, 0);
			if (at >= VIRTIO_CONFIG + CONFIG)
				assert_int_equal(got, 0);
			dev->device.ops->write(&dev->device, at, len,
					       UINT64_C(0x0101010101010101));
		}
	set(VIRTIO_STATUS, 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	assert_int_equal(fake.starts, 0);
}

/* B11 */
static void config_is_read_within_its_bounds(void **state)
{
	const struct device_ops *o = dev->device.ops;

	(void)state;
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG, 8),
			 UINT64_C(0x0807060504030201));
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 3, 2), 0x0504);
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 8, 4),
			 0x0c0b0a09);
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 9, 4), 0);
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 11, 1), 12);
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 12, 1), 0);
	o->write(&dev->device, VIRTIO_CONFIG + 9, 4, 1);
	o->write(&dev->device, VIRTIO_CONFIG + 12, 1, 1);
	assert_int_equal(fake.configs, 0);
	o->write(&dev->device, VIRTIO_CONFIG + 8, 4, 0x55);
	assert_int_equal(fake.configs, 1);
	assert_int_equal(fake.config_at, 8);
	assert_int_equal(fake.config_len, 4);
	assert_int_equal(fake.config_value, 0x55);
	/* it goes nowhere unless the kind says so */
	assert_int_equal(o->read(&dev->device, VIRTIO_CONFIG + 8, 1), 9);
}

/* B15 */
static void config_changes_have_generations(void **state)
{
	uint32_t before = reg(VIRTIO_CONFIG_GENERATION);
	uint8_t byte = 77;

	(void)state;
	virtio_config_set(dev, 4, &byte, 1);
	assert_int_not_equal(reg(VIRTIO_CONFIG_GENERATION), before);
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), 0); /* nobody drives */
	bring_up(0, SIZE);
	virtio_config_set(dev, 4, &byte, 1);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	virtio_config_get(dev, 4, &byte, 1);
	assert_int_equal(byte, 77);
}

/* B9 */
static void features_ok_needs_sense(void **state)
{
	static const struct {
		uint64_t features;
		bool good;
	} cases[] = {
		{ VIRTIO_F_VERSION_1, true },
		{ VIRTIO_F_VERSION_1 | FEATURES, true },
		{ 0, false },
		{ FEATURES, false },
		{ VIRTIO_F_VERSION_1 | 1, false },
		{ VIRTIO_F_VERSION_1 | UINT64_C(1) << 63, false },
		{ UINT64_MAX, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(VIRTIO_STATUS, 0);
		set(VIRTIO_STATUS, 1);
		set(VIRTIO_STATUS, 3);
		for (unsigned half = 0; half < 2; half++) {
			set(VIRTIO_DRIVER_FEATURES_SEL, half);
			set(VIRTIO_DRIVER_FEATURES,
			    (uint32_t)(cases[i].features >> 32 * half));
		}
		set(VIRTIO_STATUS, 3 | VIRTIO_FEATURES_OK);
		assert_int_equal(!!(reg(VIRTIO_STATUS) & VIRTIO_FEATURES_OK),
				 cases[i].good);
		/* the device does not start without */
		set(VIRTIO_STATUS, 3 | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
		assert_int_equal(!!(reg(VIRTIO_STATUS) & VIRTIO_DRIVER_OK),
				 cases[i].good);
	}
}

static void features_hold_once_they_are_ok(void **state)
{
	(void)state;
	negotiate(FEATURES);
	set(VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_DRIVER_FEATURES, 0);
	set_queue(0, SIZE);
	driver_ok();
	while (!fake.starts)
		usleep(100);
	assert_int_equal(dev->accepted, FEATURES | VIRTIO_F_VERSION_1);
}

/* B10 */
static void status_goes_forward_only(void **state)
{
	(void)state;
	set(VIRTIO_STATUS, VIRTIO_DRIVER);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	set(VIRTIO_STATUS, VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	set(VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE);
	set(VIRTIO_STATUS, 0x30);
	set(VIRTIO_STATUS, VIRTIO_NEEDS_RESET);
	assert_int_equal(reg(VIRTIO_STATUS), VIRTIO_ACKNOWLEDGE);
	negotiate(0);
	set(VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE); /* takes nothing back */
	assert_int_equal(reg(VIRTIO_STATUS), 11);
	set(VIRTIO_STATUS, VIRTIO_FAILED);
	assert_int_equal(reg(VIRTIO_STATUS), 11 | VIRTIO_FAILED);
	set(VIRTIO_STATUS, 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
}

/* B4 */
static void queues_that_are_not_there(void **state)
{
	static const uint32_t none[] = { QUEUES, 8, 0x80000000, 0xffffffff };

	(void)state;
	negotiate(0);
	for (unsigned i = 0; i < QUEUES; i++) {
		set(VIRTIO_QUEUE_SEL, i);
		assert_int_equal(reg(VIRTIO_QUEUE_NUM_MAX), SIZE);
	}
	for (unsigned i = 0; i < 4; i++) {
		set(VIRTIO_QUEUE_SEL, none[i]);
		assert_int_equal(reg(VIRTIO_QUEUE_NUM_MAX), 0);
		set_queue(none[i], SIZE);
		assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	}
	assert_int_equal(reg(VIRTIO_STATUS), 11);
}

/* B6 */
static void sizes_that_make_no_sense(void **state)
{
	static const uint32_t bad[] = {
		0, 3, SIZE * 2, 32769, 0xffff, 0x10008
	};

	(void)state;
	negotiate(0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_queue(1, bad[i]);
		assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	}
	assert_int_equal(reg(VIRTIO_STATUS), 11);
	set_queue(1, SIZE / 4);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
}

/* B7 */
static void addresses_that_make_no_sense(void **state)
{
	(void)state;
	negotiate(0);
	set(VIRTIO_QUEUE_SEL, 0);
	set(VIRTIO_QUEUE_NUM, SIZE);
	set_address(VIRTIO_QUEUE_DESC_LOW, DESC);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, HOLE);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, DEVICE);
	set(VIRTIO_QUEUE_READY, 1);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	assert_int_equal(reg(VIRTIO_STATUS), 11 | VIRTIO_NEEDS_RESET);
	assert_int_equal(dev->count.needs_reset, 1);
	/* before DRIVER_OK no interrupt tells (2.1.2) */
	assert_int_equal(line_level(), 0);
	bring_up(0, SIZE);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* B8: the queue is the one it was when it became ready. */
static void a_ready_queue_is_latched(void **state)
{
	(void)state;
	clear_queue();
	negotiate(0);
	set_queue(0, SIZE);
	set(VIRTIO_QUEUE_NUM, 1);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, HOLE);
	set(VIRTIO_QUEUE_READY, 2); /* no such value */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
	driver_ok();
	set(VIRTIO_QUEUE_READY, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, HOLE);
	set_queue(1, SIZE); /* too late */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	put_desc(DESC, 3, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 3);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
	assert_int_equal(used_entry(0).head, 3);
}

/* Linux takes its queues back when it cannot use all of them. */
static void a_queue_is_taken_back(void **state)
{
	(void)state;
	clear_queue();
	negotiate(0);
	set_queue(0, SIZE);
	set(VIRTIO_QUEUE_READY, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	set_queue(0, SIZE / 2);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
}

/* B5 */
static void kicks_at_the_wrong_time(void **state)
{
	(void)state;
	set(VIRTIO_QUEUE_NOTIFY, 0);
	negotiate(0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(fake.queues, 0);
	bring_up(0, SIZE);
	set(VIRTIO_QUEUE_NOTIFY, 1); /* not ready */
	set(VIRTIO_QUEUE_NOTIFY, 0xffffffff); /* not there */
	set(VIRTIO_STATUS, 0);
	fake.queues = 0;
	for (unsigned i = 0; i < 1000; i++)
		set(VIRTIO_QUEUE_NOTIFY, 0);
	set(VIRTIO_STATUS, 0);
	assert_int_equal(fake.queues, 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	usleep(20000); /* it sleeps again */
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_FAILED);
	put16(DRIVER + 2, SIZE + 1); /* nobody looks any more */
	set(VIRTIO_QUEUE_NOTIFY, 0);
	usleep(20000);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_FAILED);
}

/* B14 */
static void an_interrupt_lasts_until_it_is_acknowledged(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	wait_for_line();
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), VIRTIO_ISR_QUEUE);
	set(VIRTIO_INTERRUPT_ACK, ~VIRTIO_ISR_QUEUE);
	assert_int_equal(line_level(), 1);
	set(VIRTIO_INTERRUPT_ACK, 0xffffffff);
	assert_int_equal(line_level(), 0);
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), 0);
}

/* C1 to C9 end here: one interrupt, one count, and a reset makes it good. */
static void nonsense_needs_a_reset(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put16(DRIVER + 2, SIZE + 1);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_NEEDS_RESET);
	assert_int_equal(dev->count.needs_reset, 1);
	fake.queues = 0;
	set(VIRTIO_QUEUE_NOTIFY, 0); /* it stands still */
	set(VIRTIO_STATUS, 0);
	assert_int_equal(fake.queues, 0);

	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0); /* C20: it begins at 0 again */
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
	assert_int_equal(dev->count.needs_reset, 1);
}

static void a_device_that_cannot_start(void **state)
{
	(void)state;
	fake.start_error = -EIO;
	bring_up(0, SIZE);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_NEEDS_RESET);
	fake.start_error = 0;
}

static void a_reset_clears_everything(void **state)
{
	(void)state;
	bring_up(FEATURES, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	wait_for_line();
	set(VIRTIO_STATUS, 0);
	assert_int_equal(line_level(), 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), 0);
	set(VIRTIO_QUEUE_SEL, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	assert_int_equal(fake.resets, 1);
	set(VIRTIO_QUEUE_READY, 1); /* its size is gone */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
}

/* C14: 65,536 kicks and nothing in the queue: they are looked after together,
 * tell nobody anything, and the next request is served. */
static void a_storm_of_kicks(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	for (unsigned i = 0; i < 65536; i++)
		set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(line_level(), 0);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
}

/* C15: a driver that never looks at what came back can have no more under way
 * than the queue holds; one more is nonsense. */
static void submitting_without_looking(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	for (unsigned round = 1; round <= 10; round++) {
		for (unsigned i = 0; i < SIZE; i++)
			offer(SIZE, 0);
		set(VIRTIO_QUEUE_NOTIFY, 0);
		while (used_idx() != round * SIZE)
			usleep(100);
	}
	assert_int_equal(dev->count.requests, 10 * SIZE);
	put16(DRIVER + 2, get16(DRIVER + 2) + SIZE + 1u);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	while (!(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET))
		usleep(100);
	assert_int_equal(dev->count.requests, 10 * SIZE);
}

/* A kind that always has more to do does not keep orders from being obeyed. */
static void endless_work_can_be_reset(void **state)
{
	(void)state;
	fake.says = VIRTIO_MORE;
	bring_up(0, SIZE);
	while (fake.queues < 100)
		usleep(100);
	set(VIRTIO_STATUS, 0);
	assert_false(fake.started);
	fake.says = VIRTIO_DONE;
}

/* B12, B13: resets and starts by several vCPUs at once, with kicks. */
static void *storm(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 500; i++) {
		negotiate(0);
		set_queue(0, SIZE);
		driver_ok();
		set(VIRTIO_QUEUE_NOTIFY, 0);
		reg(VIRTIO_INTERRUPT_STATUS);
	}
	return NULL;
}

static void storms_of_resets(void **state)
{
	pthread_t thread[4];

	(void)state;
	clear_queue();
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	for (unsigned i = 0; i < 5; i++)
		offer(SIZE, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, storm, NULL),
				 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	set(VIRTIO_STATUS, 0);
	assert_false(fake.started);
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_it_is),
		TEST(features_come_in_halves),
		TEST(every_access_has_an_answer),
		TEST(config_is_read_within_its_bounds),
		TEST(config_changes_have_generations),
		TEST(features_ok_needs_sense),
		TEST(features_hold_once_they_are_ok),
		TEST(status_goes_forward_only),
		TEST(queues_that_are_not_there),
		TEST(sizes_that_make_no_sense),
		TEST(addresses_that_make_no_sense),
		TEST(a_ready_queue_is_latched),
		TEST(a_queue_is_taken_back),
		TEST(kicks_at_the_wrong_time),
		TEST(an_interrupt_lasts_until_it_is_acknowledged),
		TEST(nonsense_needs_a_reset),
		TEST(a_device_that_cannot_start),
		TEST(a_reset_clears_everything),
		TEST(a_storm_of_kicks),
		TEST(submitting_without_looking),
		TEST(endless_work_can_be_reset),
		TEST(storms_of_resets),
	};

	return cmocka_run_group_tests(tests, make_ram, free_ram);
}
