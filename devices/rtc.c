/* SPDX-License-Identifier: MIT */
/*
 * The real-time clock of a PC: an MC146818 (data sheet, Motorola 1984) with its
 * memory, the century in byte 0x32 as ACPI's FADT says it.
 *
 *   0x70  what to access next, and in bit 7 a mask of NMIs, of which there are
 *         none
 *   0x71  that byte
 *
 * It goes by a clock of the host, in UTC, and speaks BCD and 24 hours, whatever
 * register B is told. Setting it moves its distance from that clock. It raises
 * no interrupts: who wants those has better timers. The alarm is for who sleeps
 * (rtc_alarm).
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices/devices.h"

#define BYTES 128

/* The last part of each second, in which a driver is told not to begin reading:
 * long enough to read all of a time, an exit a byte. */
#define UPDATE_NS 2000000

enum rtc_byte {
	SECONDS = 0,
	SECONDS_ALARM = 1,
	MINUTES = 2,
	MINUTES_ALARM = 3,
	HOURS = 4,
	HOURS_ALARM = 5,
	WEEKDAY = 6, /* 1: Sunday */
	DAY = 7,
	MONTH = 8,
	YEAR = 9,
	A = 0x0a,
	B = 0x0b,
	C = 0x0c,
	D = 0x0d,
	CENTURY = 0x32
};

#define A_UPDATING 0x80
#define A_DIVIDER  0x26 /* 32,768 Hz, and 1,024 Hz of square waves */
#define B_SET	   0x80 /* the time stands still and may be written */
#define B_ALARM	   0x20
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define D_VALID	   0x80 /* the battery is good */
#define ALARM_ANY  0xc0 /* such a byte is equal to all */

#define DAY_LENGTH 86400

struct rtc {
	struct device device;
	struct timespec (*now)(void);
	pthread_mutex_t lock; /* of all below */
	unsigned index;
	int64_t ahead; /* seconds, of now */
	uint8_t byte[BYTES]; /* with B_SET, the time too */
};

static uint8_t bcd(unsigned n)
{
	return (uint8_t)(n / 10 % 10 << 4 | n % 10);
}

static int from_bcd(uint8_t v)
{
	return (v >> 4) * 10 + (v & 0xf);
}

/* Bytes as of the time now. */
static void show_time(struct rtc *r)
{
	time_t t = r->now().tv_sec + r->ahead;
	struct tm tm;

	gmtime_r(&t, &tm);
	r->byte[SECONDS] = bcd(tm.tm_sec);
	r->byte[MINUTES] = bcd(tm.tm_min);
	r->byte[HOURS] = bcd(tm.tm_hour);
	r->byte[WEEKDAY] = bcd(tm.tm_wday + 1);
	r->byte[DAY] = bcd(tm.tm_mday);
	r->byte[MONTH] = bcd(tm.tm_mon + 1);
	r->byte[YEAR] = bcd((1900u + tm.tm_year) % 100);
	r->byte[CENTURY] = bcd((1900u + tm.tm_year) / 100);
}

/* The other way: what makes no sense is a time too, as timegm has it. */
static void set_time(struct rtc *r)
{
	struct tm tm = {
		.tm_sec = from_bcd(r->byte[SECONDS]),
		.tm_min = from_bcd(r->byte[MINUTES]),
		.tm_hour = from_bcd(r->byte[HOURS]),
		.tm_mday = from_bcd(r->byte[DAY]),
		.tm_mon = from_bcd(r->byte[MONTH]) - 1,
		.tm_year = from_bcd(r->byte[YEAR]) +
			   from_bcd(r->byte[CENTURY]) * 100 - 1900,
	};

	r->ahead = timegm(&tm) - r->now().tv_sec;
}

static bool is_time(unsigned i)
{
	return i == SECONDS || i == MINUTES || i == HOURS ||
	       (i >= WEEKDAY && i <= YEAR) || i == CENTURY;
}

static uint8_t read_byte(struct rtc *r)
{
	bool set = r->byte[B] & B_SET;

	if (is_time(r->index) && !set)
		show_time(r);
	if (r->index == A && !set && r->now().tv_nsec >= 1000000000 - UPDATE_NS)
		return r->byte[A] | A_UPDATING;
	return r->byte[r->index];
}

static void write_b(struct rtc *r, uint8_t value)
{
	bool was_set = r->byte[B] & B_SET;

	if (!was_set)
		show_time(r);
	else if (!(value & B_SET))
		set_time(r);
	r->byte[B] = (value & ~B_BINARY) | B_24_HOURS;
}

static void write_time(struct rtc *r, uint8_t value)
{
	bool set = r->byte[B] & B_SET;

	if (!set)
		show_time(r);
	r->byte[r->index] = value;
	if (!set)
		set_time(r);
}

static void write_byte(struct rtc *r, uint8_t value)
{
	if (is_time(r->index))
		write_time(r, value);
	else if (r->index == A)
		r->byte[A] = value & ~A_UPDATING;
	else if (r->index == B)
		write_b(r, value);
	else if (r->index != C && r->index != D)
		r->byte[r->index] = value;
}

/* Port 0x70 cannot be read. A wide access is one of a byte to each port in
 * turn, as the ISA bus splits it. */
static uint64_t rtc_read(struct device *d, uint64_t offset, unsigned len)
{
	struct rtc *r = (struct rtc *)d;
	uint64_t value = 0;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < len; i++)
		value |= (uint64_t)(offset + i ? read_byte(r) : 0xff)
			 << (8 * i);
	pthread_mutex_unlock(&r->lock);
	return value;
}

static void rtc_write(struct device *d, uint64_t offset, unsigned len,
		      uint64_t value)
{
	struct rtc *r = (struct rtc *)d;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < len; i++, value >>= 8)
		if (offset + i)
			write_byte(r, (uint8_t)value);
		else
			r->index = value & (BYTES - 1);
	pthread_mutex_unlock(&r->lock);
}

static bool alarm_is(uint8_t alarm, unsigned n)
{
	return alarm >= ALARM_ANY || alarm == bcd(n);
}

/* In how many seconds from @t, the time of day, is the alarm? 0: never. */
static int alarm_in(const struct rtc *r, int64_t t)
{
	for (int s = 1; s <= DAY_LENGTH; s++) {
		unsigned at = (unsigned)((t + s) % DAY_LENGTH);

		if (alarm_is(r->byte[SECONDS_ALARM], at % 60) &&
		    alarm_is(r->byte[MINUTES_ALARM], at / 60 % 60) &&
		    alarm_is(r->byte[HOURS_ALARM], at / 3600))
			return s;
	}
	return 0;
}

int rtc_alarm(struct device *d)
{
	struct rtc *r = (struct rtc *)d;
	struct timespec t;
	int in = 0;

	pthread_mutex_lock(&r->lock);
	t = r->now();
	if (r->byte[B] & B_ALARM)
		in = alarm_in(r, (t.tv_sec + r->ahead) % DAY_LENGTH);
	pthread_mutex_unlock(&r->lock);
	return in ? in * 1000 - (int)(t.tv_nsec / 1000000) : -1;
}

static void rtc_destroy(struct device *d)
{
	struct rtc *r = (struct rtc *)d;

	pthread_mutex_destroy(&r->lock);
	free(r);
}

static const struct device_ops ops = {
	.name = "rtc",
	.read = rtc_read,
	.write = rtc_write,
	.destroy = rtc_destroy,
};

struct device *rtc_create(struct timespec (*now)(void))
{
	struct rtc *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->device.ops = &ops;
	r->now = now;
	r->byte[A] = A_DIVIDER;
	r->byte[B] = B_24_HOURS;
	r->byte[D] = D_VALID;
	pthread_mutex_init(&r->lock, NULL);
	return &r->device;
}
