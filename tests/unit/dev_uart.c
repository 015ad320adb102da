/* SPDX-License-Identifier: MIT */
/*
 * The UART's registers and its two directions. Interrupts: dev_uart_irq.c.
 * Cases of docs/hostile.md: B1, D27, D28, D29.
 */
#include "tests/unit/uart_fixture.h"

/* What each register says after reset (data sheet, table III). */
static const uint8_t reset_values[] = {
	[RBR] = 0, [IER] = 0,	 [IIR] = 0x01, [LCR] = 0,
	[MCR] = 0, [LSR] = 0x60, [MSR] = 0xb0, [SCR] = 0,
};

/* B1: each offset, each width that ends within the registers. */
static void reset_values_at_every_width(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < 8; offset++)
		for (unsigned len = 1; offset + len <= 8; len *= 2) {
			uint64_t want = 0;

			for (unsigned i = 0; i < len; i++)
				want |= (uint64_t)reset_values[offset + i]
					<< (8 * i);
			assert_int_equal(uart->ops->read(uart, offset, len),
					 want);
		}
	assert_int_equal(edges, 0);
}

/* B1: a wide write is one of a byte to each register. */
static void wide_write_reaches_each_register(void **state)
{
	(void)state;
	uart->ops->write(uart, 0, 8, UINT64_C(0x5affff0c031f0f41));
	assert_int_equal(output_len, 1);
	assert_int_equal(output[0], 'A');
	assert_int_equal(in(IER), 0x0f);
	assert_int_equal(in(LCR), 0x03);
	assert_int_equal(in(MCR), 0x0c);
	assert_int_equal(in(LSR), 0x60); /* not for writing */
	assert_int_equal(in(MSR), 0xb0);
	assert_int_equal(in(SCR), 0x5a);
	assert_int_equal(uart->ops->read(uart, 3, 2), 0x0c03);
}

static void bits_without_meaning_read_as_zero(void **state)
{
	(void)state;
	out(IER, 0xff);
	assert_int_equal(in(IER), 0x0f);
	out(MCR, 0xef);
	assert_int_equal(in(MCR), 0x0f);
	out(LCR, 0x7f);
	assert_int_equal(in(LCR), 0x7f);
}

/* D27: no divisor does anything, 0 and 65535 neither. */
static void divisor_is_kept_and_means_nothing(void **state)
{
	static const unsigned divisors[] = { 0, 1, 0xffff };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		out(IER, 5);
		out(LCR, LCR_DLAB | 3);
		out(RBR, divisors[i] & 0xff);
		out(IER, divisors[i] >> 8);
		assert_int_equal(in(RBR), divisors[i] & 0xff);
		assert_int_equal(in(IER), divisors[i] >> 8);
		out(LCR, 3);
		assert_int_equal(in(IER), 5); /* was another register */
		out(THR, 'x');
	}
	assert_int_equal(output_len, 3);
}

static void output_is_in_order_and_at_once(void **state)
{
	(void)state;
	for (const char *c = "hello, world"; *c; c++) {
		out(THR, (unsigned char)*c);
		assert_int_equal(in(LSR) & (LSR_THRE | LSR_TEMT), 0x60);
	}
	assert_int_equal(output_len, 12);
	assert_memory_equal(output, "hello, world", 12);
}

static void input_without_fifo_is_a_byte(void **state)
{
	(void)state;
	assert_int_equal(input("abc"), 1);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(rooms, 0);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(rooms, 1); /* once: nothing was refused since */
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(RBR), 0);
	assert_int_equal(rooms, 1);
	assert_int_equal(input("b"), 1);
	assert_int_equal(in(RBR), 'b');
	assert_int_equal(rooms, 1); /* all of it had fitted */
}

/* D29: what does not fit stays with the caller. */
static void fifo_holds_sixteen(void **state)
{
	(void)state;
	out(FCR, FCR_ENABLE);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(input("0123456789abcdefXYZ"), 16);
	assert_int_equal(input("XYZ"), 0);
	assert_int_equal(in(LSR)&LSR_OE, 0);
	assert_int_equal(in(RBR), '0');
	assert_int_equal(rooms, 1);
	assert_int_equal(input("XYZ"), 1); /* goes round the ring's end */
	for (const char *c = "123456789abcdefX"; *c; c++)
		assert_int_equal(in(RBR), *c);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(rooms, 2);
}

static void fifo_resets_drop_what_was_received(void **state)
{
	(void)state;
	out(FCR, FCR_ENABLE);
	input("0123456789abcdefXYZ");
	out(FCR, FCR_ENABLE | FCR_RX_RESET);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(rooms, 1);
	input("abc");
	out(FCR, FCR_RX_RESET); /* without ENABLE: the FIFOs go off */
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(IIR), 0x01);
	assert_int_equal(input("ab"), 1);
	out(FCR, FCR_ENABLE);
	assert_int_equal(in(LSR), 0x60);
	input("q");
	out(FCR, FCR_ENABLE); /* nothing changes, nothing is lost */
	assert_int_equal(in(RBR), 'q');
}

/* D28 */
static void loopback_receives_what_it_sends(void **state)
{
	(void)state;
	out(FCR, FCR_ENABLE);
	out(MCR, MCR_LOOP);
	for (unsigned i = 0; i < 16; i++)
		out(THR, 'a' + i);
	assert_int_equal(in(LSR), 0x61);
	out(THR, 'z');
	assert_int_equal(in(LSR), 0x63); /* overrun: the newest is lost */
	assert_int_equal(in(LSR), 0x61); /* said once */
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(RBR), 'a' + i);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(output_len, 0);
}

static void loopback_cuts_the_input_off(void **state)
{
	(void)state;
	out(MCR, MCR_LOOP);
	assert_int_equal(input("a"), 0);
	out(SCR, 1);
	assert_int_equal(rooms, 0); /* there is none */
	out(MCR, 0);
	assert_int_equal(rooms, 1);
	assert_int_equal(input("a"), 1);
}

/* Each output line of MCR shows as an input line of MSR (data sheet, 8.6). */
static void loopback_turns_modem_lines_round(void **state)
{
	static const struct {
		unsigned mcr, msr;
	} turns[] = {
		/* CTS, DSR and DCD fall */
		{ MCR_LOOP, 0x0b },
		{ MCR_LOOP | MCR_RTS, MSR_CTS | 0x01 },
		{ MCR_LOOP | MCR_RTS | MCR_DTR, MSR_CTS | MSR_DSR | 0x02 },
		/* RI tells its trailing edge only */
		{ MCR_LOOP | MCR_OUT1, MSR_RI | 0x03 },
		{ MCR_LOOP, 0x04 },
		{ MCR_LOOP | MCR_OUT2, MSR_DCD | 0x08 },
		{ MCR_LOOP | MCR_OUT2, MSR_DCD },
		{ 0, 0xb0 | 0x03 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
		out(MCR, turns[i].mcr);
		assert_int_equal(in(MSR), turns[i].msr);
		assert_int_equal(in(MSR), turns[i].msr & 0xf0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UART_TEST(reset_values_at_every_width),
		UART_TEST(wide_write_reaches_each_register),
		UART_TEST(bits_without_meaning_read_as_zero),
		UART_TEST(divisor_is_kept_and_means_nothing),
		UART_TEST(output_is_in_order_and_at_once),
		UART_TEST(input_without_fifo_is_a_byte),
		UART_TEST(fifo_holds_sixteen),
		UART_TEST(fifo_resets_drop_what_was_received),
		UART_TEST(loopback_receives_what_it_sends),
		UART_TEST(loopback_cuts_the_input_off),
		UART_TEST(loopback_turns_modem_lines_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
