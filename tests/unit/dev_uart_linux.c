/* SPDX-License-Identifier: MIT */
/*
 * What Linux's 8250 driver asks a port to find out what it is and how to drive
 * it (autoconfig, size_fifo and do_startup in drivers/tty/serial/8250): each
 * answer is a 16550A's with a FIFO of 16, and none is that of a bug.
 */
#include "tests/unit/uart_fixture.h"

#define LCR_MODE_A 0x80u /* the divisor's latch */
#define LCR_MODE_B 0xbfu /* and the extended registers, where there are any */
#define EFR	   FCR
#define TX_RESET   0x04u /* FCR; there is nothing to reset */
#define XSCALE	   0x40u /* IER: unit enable */

static void there_is_a_port(void **state)
{
	(void)state;
	out(IER, 0);
	assert_int_equal(in(IER)&0x0f, 0);
	out(IER, 0x0f);
	assert_int_equal(in(IER)&0x0f, 0x0f);
	out(IER, 0);
	out(MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
	assert_int_equal(in(MSR)&0xf0, MSR_DCD | MSR_CTS);
	out(MCR, 0);
	out(SCR, 0xa5);
	assert_int_equal(in(SCR), 0xa5);
	out(SCR, 0x5a);
	assert_int_equal(in(SCR), 0x5a); /* an 8250 has none */
}

static void it_is_a_16550a(void **state)
{
	unsigned mcr;

	(void)state;
	out(LCR, LCR_MODE_B);
	out(EFR, 0);
	out(LCR, 0);
	out(FCR, FCR_ENABLE);
	assert_int_equal(in(IIR) >> 6, 3);

	/* Nor one of its successors: no EFR ... */
	out(LCR, LCR_MODE_A);
	assert_int_not_equal(in(EFR), 0);
	out(LCR, LCR_MODE_B);
	assert_int_not_equal(in(EFR), 0);
	/* ... no second bank behind it, ... */
	out(LCR, 0);
	mcr = in(MCR);
	out(LCR, 0xe0);
	assert_int_equal((in(IIR) ^ mcr) & MCR_LOOP, 0);
	out(LCR, 0);
	out(MCR, mcr ^ MCR_LOOP);
	out(LCR, 0xe0);
	assert_int_equal((in(IIR) ^ mcr) & MCR_LOOP, 0);
	out(LCR, 0);
	out(MCR, mcr);
	/* ... no switch for the unit. */
	out(IER, XSCALE);
	assert_int_equal(in(IER)&XSCALE, 0);
}

static void its_fifo_has_sixteen_bytes(void **state)
{
	unsigned n = 0;

	(void)state;
	out(FCR, FCR_ENABLE | FCR_RX_RESET | TX_RESET);
	out(MCR, MCR_LOOP);
	out(LCR, LCR_MODE_A);
	out(RBR, 1);
	out(IER, 0);
	out(LCR, 3);
	for (unsigned i = 0; i < 256; i++)
		out(THR, i);
	while (in(LSR)&LSR_DR && n < 256)
		assert_int_equal(in(RBR), n++);
	assert_int_equal(n, 16);
	out(MCR, 0);
	assert_int_equal(output_len, 0);
}

/* At start-up: nothing is pending, and THRE comes back whenever IER lets it. */
static void its_interrupts_are_reliable(void **state)
{
	(void)state;
	out(FCR, FCR_ENABLE);
	out(FCR, FCR_ENABLE | FCR_RX_RESET | TX_RESET);
	out(FCR, 0);
	in(LSR), in(RBR), in(IIR), in(MSR);
	assert_int_not_equal(in(LSR), 0xff);
	out(LCR, 3);
	for (unsigned i = 0; i < 2; i++) {
		out(IER, IER_THRE);
		assert_int_equal(in(IIR)&0x0f, IIR_THRE);
		out(IER, 0);
	}
	out(MCR, MCR_OUT2);
	out(IER, IER_THRE); /* no BUG_TXEN */
	assert_true(in(LSR)&LSR_TEMT);
	assert_int_equal(in(IIR)&0x0f, IIR_THRE);
	out(IER, 0);
	in(LSR), in(RBR), in(IIR), in(MSR);
	assert_int_equal(in(IIR)&0x0f, IIR_NONE);
	assert_int_equal(line, 0);
}

/* A console: a byte at a time, each when LSR says so, without interrupts. */
static void it_is_a_console(void **state)
{
	const unsigned both = LSR_THRE | LSR_TEMT;

	(void)state;
	out(IER, 0);
	for (const char *c = "Linux\r\n"; *c; c++) {
		assert_int_equal(in(LSR)&both, both);
		out(THR, (unsigned char)*c);
	}
	assert_int_equal(in(LSR)&both, both);
	assert_int_equal(output_len, 7);
	assert_int_equal(edges, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UART_TEST(there_is_a_port),
		UART_TEST(it_is_a_16550a),
		UART_TEST(its_fifo_has_sixteen_bytes),
		UART_TEST(its_interrupts_are_reliable),
		UART_TEST(it_is_a_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
