/* SPDX-License-Identifier: MIT */
/* The real-time clock, by a clock of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "devices/devices.h"

#define SET	 0x80
#define HOURS_24 0x02

static struct device *rtc;
static struct timespec now;

static struct timespec test_clock(void)
{
	return now;
}

/* 2024-02-29, a Thursday, 23:59:58 UTC. */
static int setup(void **state)
{
	(void)state;
	now = (struct timespec){ 1709251198, 0 };
	rtc = rtc_create(test_clock);
	return !rtc;
}

static int teardown(void **state)
{
	(void)state;
	rtc->ops->destroy(rtc);
	return 0;
}

static unsigned get(unsigned index)
{
	rtc->ops->write(rtc, 0, 1, index);
	return (unsigned)rtc->ops->read(rtc, 1, 1);
}

static void set(unsigned index, unsigned value)
{
	rtc->ops->write(rtc, 0, 1, index);
	rtc->ops->write(rtc, 1, 1, value);
}

/* Which bytes say the time, and what they do: century to seconds, weekday. */
static const unsigned bytes[] = { 0x32, 9, 8, 7, 4, 2, 0, 6 };

static void expect(const unsigned want[8])
{
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(get(bytes[i]), want[i]);
}

static void it_says_the_time(void **state)
{
	(void)state;
	expect((unsigned[]){ 0x20, 0x24, 2, 0x29, 0x23, 0x59, 0x58, 5 });
	now.tv_sec += 2;
	expect((unsigned[]){ 0x20, 0x24, 3, 1, 0, 0, 0, 6 });
	now.tv_sec = 946684799; /* the last second of 1999 */
	expect((unsigned[]){ 0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x59, 6 });
	assert_int_equal(get(0x0b), HOURS_24); /* BCD */
	assert_int_equal(get(0x0c), 0); /* no interrupt */
	assert_int_equal(get(0x0d), 0x80); /* valid */
}

/* Who sees no update coming has two milliseconds to read. */
static void it_says_when_it_is_about_to_change(void **state)
{
	(void)state;
	assert_int_equal(get(0x0a), 0x26);
	now.tv_nsec = 997999999;
	assert_int_equal(get(0x0a), 0x26);
	now.tv_nsec = 998000000;
	assert_int_equal(get(0x0a), 0x26 | 0x80);
	set(0x0a, 0xff); /* that bit is not for writing */
	now = (struct timespec){ now.tv_sec + 1, 0 };
	assert_int_equal(get(0x0a), 0x7f);
}

/* As Linux does it: SET, the time, no SET. */
static void it_can_be_set(void **state)
{
	static const unsigned to[] = { 0x20, 0x38, 1, 0x19, 3, 0x14, 7, 3 };

	(void)state;
	set(0x0b, HOURS_24 | SET);
	now.tv_sec += 100; /* it stands still */
	now.tv_nsec = 999000000;
	assert_int_equal(get(0), 0x58);
	assert_int_equal(get(0x0a), 0x26);
	for (unsigned i = 0; i < 7; i++)
		set(bytes[i], to[i]);
	set(0x0b, HOURS_24);
	expect(to);
	now.tv_sec += 3600;
	assert_int_equal(get(4), 4);
	set(2, 0x30); /* without SET: that byte at once */
	assert_int_equal(get(2), 0x30);
	assert_int_equal(get(4), 4);
	assert_int_equal(get(0), 7);
}

static void the_rest_is_memory(void **state)
{
	(void)state;
	for (unsigned i = 0x0e; i < 128; i++)
		if (i != 0x32)
			set(i, i ^ 0x55);
	for (unsigned i = 0x0e; i < 128; i++)
		if (i != 0x32)
			assert_int_equal(get(i), i ^ 0x55);
	set(0x0c, 0xff);
	set(0x0d, 0);
	assert_int_equal(get(0x0c), 0);
	assert_int_equal(get(0x0d), 0x80);
	set(0x0b, 0x04); /* binary, 12 hours: it cannot */
	assert_int_equal(get(0x0b), HOURS_24);
	assert_int_equal(get(0), 0x58);
}

/* Bit 7 of the index masks NMIs; both ports at once; nothing to read at the
 * first; times that are none. */
static void odd_accesses(void **state)
{
	(void)state;
	assert_int_equal(get(0x80 | 0x0d), 0x80);
	rtc->ops->write(rtc, 0, 2, 0x4220);
	assert_int_equal(get(0x20), 0x42);
	assert_int_equal(rtc->ops->read(rtc, 0, 2), 0x42ff);
	assert_int_equal(rtc->ops->read(rtc, 0, 1), 0xff);
	for (unsigned v = 0; v < 256; v++)
		for (unsigned i = 0; i < 8; i++) {
			set(bytes[i], v);
			get(bytes[i]);
		}
	for (unsigned i = 0; i < 8; i++)
		set(bytes[i], 0);
	get(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void alarm_at(unsigned h, unsigned m, unsigned s)
{
	set(5, h);
	set(3, m);
	set(1, s);
}

/* It is 23:59:58. */
static void the_alarm_is_told(void **state)
{
	(void)state;
	alarm_at(0xc0, 0xff, 0xd5); /* every second */
	assert_int_equal(rtc_alarm(rtc), -1); /* off */
	set(0x0b, 0x20);
	assert_int_equal(rtc_alarm(rtc), 1000);
	now.tv_nsec = 999999999;
	assert_int_equal(rtc_alarm(rtc), 1);
	now.tv_nsec = 0;
	alarm_at(0, 0, 0x30); /* past midnight */
	assert_int_equal(rtc_alarm(rtc), 32000);
	alarm_at(0x23, 0x59, 0x58); /* now, which is tomorrow */
	assert_int_equal(rtc_alarm(rtc), 86400000);
	alarm_at(0xc0, 1, 0); /* a minute past any hour */
	assert_int_equal(rtc_alarm(rtc), 62000);
	alarm_at(0xc0, 0xc0, 0x60); /* no such second */
	assert_int_equal(rtc_alarm(rtc), -1);
	alarm_at(0xc0, 0xc0, 0);
	set(0, 0x50); /* eight seconds back */
	assert_int_equal(rtc_alarm(rtc), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_the_time),
		TEST(it_says_when_it_is_about_to_change),
		TEST(it_can_be_set),
		TEST(the_alarm_is_told),
		TEST(the_rest_is_memory),
		TEST(odd_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
