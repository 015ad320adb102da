/* SPDX-License-Identifier: MIT */
/*
 * The bus: which device sees which bytes of an access. The cases are those of
 * docs/hostile.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "devices/bus.h"

/* A device whose byte at offset n is 16 * its number + n, and that keeps what
 * is written. */
struct fake {
	struct device device;
	unsigned number, size;
	uint8_t written[16];
	unsigned reads, writes, last_len;
	unsigned destroyed; /* when, from 1 */
};

static struct bus bus;
static struct fake fake[3];
static unsigned destroyed;

static void check_access(struct fake *f, uint64_t offset, unsigned len)
{
	assert_true(len == 1 || len == 2 || len == 4 || len == 8);
	assert_true(offset < f->size && len <= f->size - offset);
	f->last_len = len;
}

static uint64_t fake_read(struct device *d, uint64_t offset, unsigned len)
{
	struct fake *f = (struct fake *)d;
	uint64_t value = 0;

	check_access(f, offset, len);
	f->reads++;
	for (unsigned i = 0; i < 8; i++) /* more than asked for, too */
		value |= (16 * f->number + offset + i) % 256 << (8 * i);
	return value;
}

static void fake_write(struct device *d, uint64_t offset, unsigned len,
		       uint64_t value)
{
	struct fake *f = (struct fake *)d;

	check_access(f, offset, len);
	f->writes++;
	assert_true(len == 8 || value >> (8 * len) == 0);
	memcpy(f->written + offset, &value, len);
}

static void fake_destroy(struct device *d)
{
	struct fake *f = (struct fake *)d;

	assert_int_equal(f->destroyed, 0);
	f->destroyed = ++destroyed;
}

static const struct device_ops ops = { "fake", fake_read, fake_write,
				       fake_destroy };

static void add(unsigned n, uint64_t base, unsigned size)
{
	fake[n].size = size;
	assert_int_equal(bus_add(&bus, &fake[n].device, base, size), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	memset(fake, 0, sizeof(fake));
	destroyed = 0;
	for (unsigned i = 0; i < 3; i++) {
		fake[i].device.ops = &ops;
		fake[i].number = i + 1;
	}
	return 0;
}

/* 0x100 to 0x107 and, adjacent, 0x108 to 0x10f; a gap; 0x118 to 0x11f. */
static int three_devices(void **state)
{
	setup(state);
	add(1, 0x108, 8);
	add(2, 0x118, 8);
	add(0, 0x100, 8);
	return 0;
}

/* What byte @at holds, by a second way of telling. */
static uint8_t byte_at(uint64_t at)
{
	if (at >= 0x100 && at < 0x108)
		return (uint8_t)(0x10 + at - 0x100);
	if (at >= 0x108 && at < 0x110)
		return (uint8_t)(0x20 + at - 0x108);
	if (at >= 0x118 && at < 0x120)
		return (uint8_t)(0x30 + at - 0x118);
	return 0xff;
}

/* B1, B3: each address around the devices, each length up to 8. */
static void every_read_gives_each_byte_its_own(void **state)
{
	(void)state;
	for (uint64_t at = 0xf0; at < 0x130; at++)
		for (unsigned len = 0; len <= 8; len++) {
			uint64_t want = 0;

			for (unsigned i = 0; i < len; i++)
				want |= (uint64_t)byte_at(at + i) << (8 * i);
			assert_int_equal(bus_read(&bus, at, len), want);
		}
}

static void every_write_reaches_each_byte(void **state)
{
	(void)state;
	for (uint64_t at = 0xf0; at < 0x130; at++)
		for (unsigned len = 0; len <= 8; len++) {
			uint8_t memory[0x140] = { 0 };
			uint64_t value = 0x8877665544332211;

			for (unsigned i = 0; i < 3; i++)
				memset(fake[i].written, 0, 16);
			memcpy(memory + at, &value, len);
			bus_write(&bus, at, len, value);
			assert_memory_equal(fake[0].written, memory + 0x100, 8);
			assert_memory_equal(fake[1].written, memory + 0x108, 8);
			assert_memory_equal(fake[2].written, memory + 0x118, 8);
		}
}

static void whole_access_is_one_call(void **state)
{
	(void)state;
	for (unsigned len = 1; len <= 8; len *= 2) {
		fake[0].reads = fake[0].writes = 0;
		bus_read(&bus, 0x100, len);
		bus_write(&bus, 0x100, len, 0);
		assert_int_equal(fake[0].reads, 1);
		assert_int_equal(fake[0].writes, 1);
		assert_int_equal(fake[0].last_len, len);
	}
	assert_int_equal(fake[1].reads, 0);
	assert_int_equal(bus.unknown, 0);
}

/* B3: a crossing access is one of a byte each, to both. */
static void crossing_access_is_split(void **state)
{
	(void)state;
	bus_read(&bus, 0x106, 4);
	assert_int_equal(fake[0].reads, 2);
	assert_int_equal(fake[1].reads, 2);
	assert_int_equal(fake[0].last_len, 1);
	assert_int_equal(bus.unknown, 0);
	/* three bytes are one device's, but no length of a device's access */
	bus_write(&bus, 0x100, 3, 0x332211);
	assert_int_equal(fake[0].writes, 3);
	assert_int_equal(bus.unknown, 0);
}

static void unknown_accesses_are_counted(void **state)
{
	(void)state;
	assert_int_equal(bus_read(&bus, 0, 1), 0xff);
	assert_int_equal(bus_read(&bus, 0x110, 8), UINT64_MAX);
	assert_int_equal(bus_read(&bus, 0x10000, 2), 0xffff);
	bus_write(&bus, 0x120, 4, 0);
	assert_int_equal(bus.unknown, 4);
	/* two bytes of this one are a device's, two are nobody's */
	assert_int_equal(bus_read(&bus, 0x10e, 4), 0xffff2726);
	assert_int_equal(bus.unknown, 6);
}

static struct {
	unsigned times;
	uint64_t at, count; /* the last */
} told;

static void on_unknown(void *ctx, const struct bus *b, uint64_t at,
		       uint64_t count)
{
	assert_ptr_equal(ctx, &told);
	assert_ptr_equal(b, &bus);
	told.times++;
	told.at = at;
	told.count = count;
}

/* B16: a flood has no answer but ones, and is counted; a million accesses are
 * told of 20 times, in all and not a second. */
static void a_flood_of_unknown_accesses_is_counted(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	bus.unknown_at = on_unknown;
	bus.ctx = &told;
	bus_write(&bus, 0x120, 1, 0);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.at, 0x120);
	bus.unknown = 0;
	told.times = 0;
	for (unsigned i = 0; i < 500000; i++) {
		assert_int_equal(bus_read(&bus, 0x200 + i % 0x1000, 4),
				 0xffffffff);
		bus_write(&bus, 0x200 + i % 0x1000, 4, i);
	}
	assert_int_equal(bus.unknown, 1000000);
	assert_int_equal(told.times, 20);
	assert_int_equal(told.count, 1 << 19);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(fake[i].reads + fake[i].writes, 0);
}

/* B2 */
static void nothing_wraps_at_the_top(void **state)
{
	(void)state;
	add(0, UINT64_MAX - 7, 8);
	add(1, 0, 8);
	assert_int_equal(bus_read(&bus, UINT64_MAX, 1), 0x17);
	assert_int_equal(bus_read(&bus, UINT64_MAX - 7, 8),
			 UINT64_C(0x1716151413121110));
	/* an access that wraps is nobody's, its first byte neither */
	assert_int_equal(bus_read(&bus, UINT64_MAX, 2), 0xffff);
	bus_write(&bus, UINT64_MAX - 6, 8, 0);
	assert_int_equal(fake[0].reads + fake[1].reads, 2);
	assert_int_equal(fake[0].writes + fake[1].writes, 0);
	assert_int_equal(bus.unknown, 2);
	assert_int_equal(bus_read(&bus, UINT64_MAX, 0), 0);
	assert_int_equal(bus.unknown, 2);
}

static void overlaps_are_refused(void **state)
{
	static const struct {
		uint64_t base, size;
		int result;
	} adds[] = {
		{ 0x100, 8, -EEXIST },
		{ 0xff, 2, -EEXIST },
		{ 0x107, 1, -EEXIST },
		{ 0x101, 2, -EEXIST },
		{ 0xf0, 0x100, -EEXIST },
		{ 0x10f, 9, -EEXIST },
		{ 0, UINT64_MAX, -EEXIST },
		{ 0x110, 9, -EEXIST },
		{ 0x110, 0, -EINVAL },
		{ UINT64_MAX, 2, -EINVAL },
		{ 2, UINT64_MAX, -EINVAL },
		{ 0x110, 8, 0 }, /* exactly the gap */
		{ UINT64_MAX, 1, 0 },
		{ 0, 0x100, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(adds) / sizeof(adds[0]); i++)
		assert_int_equal(bus_add(&bus, &fake[0].device, adds[i].base,
					 adds[i].size),
				 adds[i].result);
	assert_int_equal(bus.ranges, 6);
}

static void full_bus_refuses(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BUS_DEVICES; i++)
		add(0, 1000 - 10 * i, 10);
	assert_int_equal(bus_add(&bus, &fake[0].device, 2000, 1), -ENOSPC);
	assert_int_equal(bus.ranges, BUS_DEVICES);
	assert_int_equal(bus_read(&bus, 1009, 1), 0x19);
	assert_int_equal(bus_read(&bus, 1000 - 10 * 31, 1), 0x10);
}

/* Last added first; a device with two ranges once, at its first's turn. */
static void destroys_in_reverse(void **state)
{
	(void)state;
	add(0, 0x300, 8);
	add(1, 0x100, 8);
	add(0, 0x400, 8);
	add(2, 0x200, 8);
	bus_destroy(&bus);
	assert_int_equal(fake[2].destroyed, 1);
	assert_int_equal(fake[1].destroyed, 2);
	assert_int_equal(fake[0].destroyed, 3);
	assert_int_equal(bus.ranges, 0);
	bus_destroy(&bus);
	assert_int_equal(destroyed, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_read_gives_each_byte_its_own,
				       three_devices),
		cmocka_unit_test_setup(every_write_reaches_each_byte,
				       three_devices),
		cmocka_unit_test_setup(whole_access_is_one_call, three_devices),
		cmocka_unit_test_setup(crossing_access_is_split, three_devices),
		cmocka_unit_test_setup(unknown_accesses_are_counted,
				       three_devices),
		cmocka_unit_test_setup(a_flood_of_unknown_accesses_is_counted,
				       three_devices),
		cmocka_unit_test_setup(nothing_wraps_at_the_top, setup),
		cmocka_unit_test_setup(overlaps_are_refused, three_devices),
		cmocka_unit_test_setup(full_bus_refuses, setup),
		cmocka_unit_test_setup(destroys_in_reverse, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
