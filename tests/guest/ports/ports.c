/* SPDX-License-Identifier: MIT */
/*
 * ports.elf: a guest that is nothing but the drivers of what has no queue: the
 * UART's loopback and FIFO, the clock, and the test devices of --kut. It says
 * what time it is, in UTC.
 *
 * Status 0, or the number of the step that failed.
 */
#include <stdint.h>

#include "devices/testdev.h"
#include "devices/uart_bits.h"
#include "guest/abi.h"
#include "guest/boot/pvh.h"
#include "tests/guest/virtio/say.h"

#define FIFO	   16
#define RTC_A	   0x0a
#define A_UPDATING 0x80
#define TEST_RAM   ((volatile uint8_t *)(uint64_t)TESTDEV_RAM)
#define PAGE_AT	   0x400000ul

void on_interrupt(void);
int main(const struct hvm_start_info *info);

/* Never enabled; start.S wants to call one. */
void on_interrupt(void)
{
	end(2);
}

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* As many bytes as the FIFO holds come back in order, one more is an overrun.
 */
static void test_uart(void)
{
	const uint16_t at = ABI_UART_PORT;

	out8(at + SCR, 0xa5);
	want(in8(at + SCR) == 0xa5, 10, "the UART's scratch register");
	out8(at + LCR, LCR_DLAB);
	out8(at + THR, 3);
	want(in8(at + RBR) == 3, 11, "its divisor");
	out8(at + LCR, 3);
	out8(at + FCR, FCR_ENABLE | FCR_RX_RESET);
	out8(at + MCR, MCR_LOOP);
	want(!(in8(at + LSR) & LSR_DR), 12, "nothing received");
	for (uint8_t i = 0; i <= FIFO; i++)
		out8(at + THR, (uint8_t)(i + 7));
	want((in8(at + LSR) & (LSR_DR | LSR_OE)) == (LSR_DR | LSR_OE), 13,
	     "a FIFO that overran");
	for (uint8_t i = 0; i < FIFO; i++)
		want(in8(at + RBR) == i + 7, 14, "what was sent");
	want(!(in8(at + LSR) & (LSR_DR | LSR_OE)), 15, "and no more");
	out8(at + MCR, 0);
}

static uint8_t clock_byte(uint8_t index)
{
	out8(ABI_RTC_PORT, index);
	return in8(ABI_RTC_PORT + 1);
}

static void say_bcd(uint8_t index, const char *then)
{
	const uint8_t v = clock_byte(index);
	const char text[] = { (char)('0' + (v >> 4)), (char)('0' + (v & 0xf)),
			      0 };

	say(text);
	say(then);
}

/* From the year to the second. */
static void say_time(void)
{
	while (clock_byte(RTC_A) & A_UPDATING)
		;
	say("time ");
	say_bcd(0x32, "");
	say_bcd(9, "-");
	say_bcd(8, "-");
	say_bcd(7, " ");
	say_bcd(4, ":");
	say_bcd(2, ":");
	say_bcd(0, "\n");
}

static void test_latches(void)
{
	out32(TESTDEV_LATCH_PORT, 0x89abcdef);
	want(in32(TESTDEV_LATCH_PORT) == 0x89abcdef, 20, "a latch");
	out8(TESTDEV_LATCH_PORT + 1, 0x11);
	want(in32(TESTDEV_LATCH_PORT) == 0x89ab11ef, 21, "a byte of it");
	for (uint32_t i = 0; i < TESTDEV_RAM_BYTES; i += 0x1001)
		TEST_RAM[i] = (uint8_t)(i >> 8);
	for (uint32_t i = 0; i < TESTDEV_RAM_BYTES; i += 0x1001)
		want(TEST_RAM[i] == (uint8_t)(i >> 8), 22, "the test's RAM");
	want(*(volatile uint32_t *)(TEST_RAM + TESTDEV_RAM_BYTES) == UINT32_MAX,
	     23, "ones behind it");
}

/* Its page is taken out of stage 2, and comes back as it was. */
static void test_flush(void)
{
	volatile uint64_t *page = (volatile uint64_t *)PAGE_AT;

	for (uint64_t i = 1; i <= 8; i++) {
		*page = i * 0x0101010101010101u;
		out32(TESTDEV_FLUSH_PORT, PAGE_AT);
		want(*page == i * 0x0101010101010101u, 30, "a page's bytes");
	}
}

int main(const struct hvm_start_info *info)
{
	(void)info;
	test_uart();
	say_time();
	test_latches();
	test_flush();
	end(0);
}
