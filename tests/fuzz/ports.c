/* SPDX-License-Identifier: MIT */
/*
 * Any guest against the devices that have no queue: UART, clock, exit and
 * power ports, the test devices, and the lab, wired to two buses as a machine
 * does. A read never gives more bytes than were asked for; whatever happened,
 * the UART's loopback, the clock and the lab then work as they should.
 * tests/fuzz/fuzz.mk says how to run it.
 */
#include "devices/bus.h"
#include "devices/devices.h"
#include "devices/lab.h"
#include "devices/power.h"
#include "devices/testdev.h"
#include "devices/uart_bits.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/ram.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define UART 0x3f8
#define RTC  0x70
#define EXIT 0xf4

static struct bus ports, mmio;
static struct device *uart, *rtc, *lab;
static struct timespec now;

static void send(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)bytes;
	if (len != 1)
		abort();
}

static void has_room(void *ctx)
{
	const uint8_t byte = 'r';

	(void)ctx;
	if (uart_input(uart, &byte, 1) != 1)
		abort();
}

static struct timespec tell_time(void)
{
	return now;
}

static void end(void *ctx, uint32_t status)
{
	(void)ctx, (void)status;
}

static void power(void *ctx, enum power_event e)
{
	(void)ctx, (void)e;
}

static void flush(void *ctx, uint64_t gpa)
{
	(void)ctx, (void)gpa;
}

static void line(void *ctx, unsigned number, int to)
{
	(void)ctx;
	if (number >= TESTDEV_LINE_PORTS || (to != 0 && to != 1))
		abort();
}

static int at_page(void *ctx, gpa_t at)
{
	(void)ctx;
	return guest_has(NULL, at, 1) ? 0 : EFAULT;
}

static enum lab_state state(void *ctx, gpa_t at)
{
	(void)ctx;
	return guest_has(NULL, at, 1) ? LAB_MAPPED : LAB_HOLE;
}

static int resident(void *ctx, uint64_t bytes, uint64_t *is)
{
	(void)ctx;
	*is = bytes;
	return 0;
}

static void counters(void *ctx, struct lab_counters *c)
{
	(void)ctx;
	memset(c, 1, sizeof(*c));
}

static int walk(void *ctx, gva_t at, struct lab_walk *w)
{
	(void)ctx, (void)w;
	return at.v & 1 ? EFAULT : 0;
}

static void fault(void *ctx, const struct lab_fault *f)
{
	(void)ctx, (void)f;
}

static void number(void *ctx, uint64_t n)
{
	(void)ctx, (void)n;
}

static int balloon(void *ctx, uint64_t pages)
{
	(void)ctx;
	return pages > 8 ? EINVAL : 0;
}

static const struct lab_host lab_host = {
	.evict = at_page,
	.unmap = at_page,
	.state = state,
	.resident = resident,
	.counters = counters,
	.walk = walk,
	.fault = fault,
	.balloon = balloon,
	.progress = number,
};

static const struct testdev_host testdev_host = { .flush = flush,
						  .line = line };

static void add(struct bus *b, struct device *d, uint64_t at, uint64_t size)
{
	if (!d || bus_add(b, d, at, size))
		abort();
}

static void wire(void)
{
	const struct uart_output out = { .write = send };
	const struct irq_line irq = { .set = set_line };

	uart = uart_create(out, irq);
	uart_on_room(uart, has_room, NULL);
	lab = lab_create(NULL, &lab_host);
	rtc = rtc_create(tell_time);
	add(&ports, uart, UART, 8);
	add(&ports, rtc, RTC, 2);
	add(&ports, exit_create(end, NULL), EXIT, 4);
	add(&ports, power_create_sleep(power, NULL), POWER_SLEEP_PORT,
	    POWER_SLEEP_PORTS);
	add(&ports, power_create_reset(power, NULL), POWER_RESET_PORT,
	    POWER_RESET_PORTS);
	add(&ports, testdev_create_bytes(TESTDEV_LATCH_PORTS),
	    TESTDEV_LATCH_PORT, TESTDEV_LATCH_PORTS);
	add(&ports, testdev_create_flush(&testdev_host), TESTDEV_FLUSH_PORT,
	    TESTDEV_FLUSH_PORTS);
	add(&ports, testdev_create_lines(&testdev_host), TESTDEV_LINE_PORT,
	    TESTDEV_LINE_PORTS);
	add(&mmio, testdev_create_bytes(TESTDEV_RAM_BYTES), TESTDEV_RAM,
	    TESTDEV_RAM_BYTES);
	add(&mmio, lab, ABI_LAB_BASE, ABI_LAB_SIZE);
}

/* An address in a device, at its end or beside it. */
static uint64_t take_address(const struct bus *b)
{
	const struct bus_range *r = &b->range[take(1) % b->ranges];

	if (r->size <= 256)
		return r->base + take(1) % (r->size + 8) - 4;
	return r->base - 4 + take(2);
}

static void access(void)
{
	struct bus *b = take(1) & 1 ? &mmio : &ports;
	const unsigned n = (unsigned)take(1) % 8 + 1;
	const uint64_t at = take_address(b);

	if (take(1) & 1)
		bus_write(b, at, n, take(n));
	else if (n < 8 && bus_read(b, at, n) >> (8 * n))
		abort();
}

static void command(void)
{
	bus_write(&mmio, ABI_LAB_BASE + LAB_ARG0, 8, take(3));
	bus_write(&mmio, ABI_LAB_BASE + LAB_ARG1, 8, take(3));
	bus_write(&mmio, ABI_LAB_BASE + LAB_CMD, 8, take(1) % 13);
}

/* A ring that is nearly right. */
static void make_ring(void)
{
	struct lab_ring r = { .head = (uint32_t)take(4),
			      .size = 1u << take(1) % 12 };

	r.tail = r.head - (uint32_t)take(1);
	memcpy(ram + take(1) % 8 * PAGE_SIZE, &r, sizeof(r));
}

static void type(void)
{
	uint8_t text[32] = "The quick brown fox jumps over";

	uart_input(uart, text, take(1) % sizeof(text));
}

static void act(void)
{
	switch (take(1) % 8) {
	case 0:
		command();
		break;
	case 1:
		make_ring();
		break;
	case 2:
		type();
		break;
	case 3:
		lab_want(lab, take(1) & 1);
		lab_drain(lab);
		break;
	case 4:
		now.tv_sec = (time_t)take(5);
		now.tv_nsec = (long)take(4) % 1000000000;
		break;
	default:
		access();
		break;
	}
}

static void out(uint64_t at, uint64_t value)
{
	bus_write(&ports, at, 1, value);
}

static uint64_t in(uint64_t at)
{
	return bus_read(&ports, at, 1);
}

static void uart_must_work(void)
{
	out(UART + LCR, 0);
	out(UART + IER, 0);
	if (level)
		abort(); /* with no cause let by */
	out(UART + MCR, MCR_LOOP); /* nothing is received from now on */
	out(UART + FCR, FCR_ENABLE | FCR_RX_RESET);
	out(UART + THR, 0xa5);
	if (in(UART + RBR) != 0xa5 || in(UART + LSR) & LSR_DR)
		abort();
}

static void clock_must_work(void)
{
	now = (struct timespec){ .tv_sec = 1000 };
	for (unsigned i = 0; i < 128; i++) {
		rtc->ops->write(rtc, 0, 1, i);
		rtc->ops->read(rtc, 1, 1);
	}
	out(RTC, 0x0b);
	out(RTC + 1, 0x80); /* stand still: */
	out(RTC, 2);
	out(RTC + 1, 0x59);
	if (in(RTC + 1) != 0x59)
		abort();
}

static void lab_must_work(void)
{
	if (bus_read(&mmio, ABI_LAB_BASE, 8) != ABI_LAB_ID)
		abort();
	bus_write(&mmio, ABI_LAB_BASE + LAB_ARG0, 8, 0x3000);
	bus_write(&mmio, ABI_LAB_BASE + LAB_CMD, 8, LAB_STATE);
	if (bus_read(&mmio, ABI_LAB_BASE + LAB_RESULT, 8) != LAB_MAPPED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	input = bytes;
	left = len;
	level = 0;
	now = (struct timespec){ 0 };
	memset(ram, 0, sizeof(ram));
	wire();
	while (left)
		act();
	uart_must_work();
	clock_must_work();
	lab_must_work();
	bus_destroy(&ports);
	bus_destroy(&mmio);
	return 0;
}
