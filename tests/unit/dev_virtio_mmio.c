/* SPDX-License-Identifier: MIT */
/* The transport's registers, one by one. Their effects: dev_virtio_io.c. Cases
 * B1 to B11 are those of docs/hostile.md. */
#include "tests/unit/fake_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, make_ram, free_ram);
}
