/* SPDX-License-Identifier: MIT */
/* The UART's interrupts: which, when, and every edge of the line counted. */
#include <pthread.h>
#include <sched.h>

#include "tests/unit/uart_fixture.h"

static void sending_raises_as_long_as_nobody_looks(void **state)
{
	(void)state;
	interrupts_on(IER_THRE); /* it is empty: at once */
	assert_int_equal(line, 1);
	assert_int_equal(in(IIR), IIR_THRE);
	assert_int_equal(line, 0); /* reading IIR takes it back */
	assert_int_equal(in(IIR), IIR_NONE);
	out(THR, 'a');
	assert_int_equal(line, 1);
	assert_int_equal(edges, 2);
	out(THR, 'b'); /* each byte is an edge */
	assert_int_equal(line, 1);
	assert_int_equal(edges, 3);
	out(IER, 0);
	assert_int_equal(line, 0);
	out(IER, IER_THRE);
	assert_int_equal(line, 1);
	assert_int_equal(in(IIR), IIR_THRE);
	out(IER, IER_THRE | IER_RLS); /* it was on already */
	assert_int_equal(line, 0);
	assert_int_equal(edges, 4);
}

static void masked_causes_do_not_raise(void **state)
{
	(void)state;
	interrupts_on(0);
	input("a");
	out(THR, 'a');
	assert_int_equal(in(IIR), IIR_NONE);
	interrupts_on(IER_RLS | IER_MS);
	assert_int_equal(in(IIR), IIR_NONE);
	assert_int_equal(edges, 0);
}

static void out2_connects_the_line(void **state)
{
	(void)state;
	out(IER, IER_RDA);
	input("a");
	assert_int_equal(in(IIR), IIR_RDA);
	assert_int_equal(line, 0);
	out(MCR, MCR_OUT2);
	assert_int_equal(line, 1);
	out(MCR, MCR_OUT2 | MCR_LOOP);
	assert_int_equal(line, 0);
	out(MCR, MCR_OUT2);
	assert_int_equal(line, 1);
	out(MCR, 0);
	assert_int_equal(line, 0);
	assert_int_equal(edges, 2);
}

static void receiving_without_fifo(void **state)
{
	(void)state;
	interrupts_on(IER_RDA);
	assert_int_equal(line, 0);
	input("ab");
	assert_int_equal(line, 1);
	assert_int_equal(in(IIR), IIR_RDA);
	assert_int_equal(line, 1); /* IIR does not take it back */
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(line, 0);
	assert_int_equal(edges, 1);
}

static void trigger_levels_of_the_fifo(void **state)
{
	static const unsigned levels[] = { 1, 4, 8, 14 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		unsigned level = levels[i];

		out(FCR, FCR_ENABLE | FCR_RX_RESET | i << FCR_TRIGGER);
		interrupts_on(IER_RDA);
		edges = 0;
		for (unsigned n = 1; n <= 16; n++) {
			assert_int_equal(input("x"), 1);
			assert_int_equal(in(IIR), n < level ? 0xcc : 0xc4);
		}
		for (unsigned n = 16; n-- > 0;) {
			assert_int_equal(in(RBR), 'x');
			assert_int_equal(in(IIR), !n	      ? 0xc1
						  : n < level ? 0xcc
							      : 0xc4);
		}
		assert_int_equal(line, 0);
		assert_int_equal(edges, 1);
	}
}

/* All four causes at once; the highest hides the others until it is dealt
 * with (data sheet, table V). Loopback makes an overrun. */
static void causes_have_an_order(void **state)
{
	(void)state;
	out(MCR, MCR_LOOP | MCR_RTS);
	in(MSR);
	out(IER, IER_RDA | IER_THRE | IER_RLS | IER_MS);
	out(THR, 'a');
	out(THR, 'b');
	out(MCR, MCR_OUT2); /* the modem's lines change, and irq is let by */
	assert_int_equal(line, 1);
	assert_int_equal(in(IIR), IIR_RLS);
	assert_int_equal(in(IIR), IIR_RLS);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(IIR), IIR_RDA);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(in(IIR), IIR_THRE); /* takes itself back */
	assert_int_equal(in(IIR), IIR_MS);
	assert_int_equal(line, 1);
	in(MSR);
	assert_int_equal(in(IIR), IIR_NONE);
	assert_int_equal(line, 0);
	assert_int_equal(edges, 1);
}

static void dropping_the_fifo_lowers_the_line(void **state)
{
	(void)state;
	out(FCR, FCR_ENABLE);
	interrupts_on(IER_RDA);
	input("abc");
	assert_int_equal(line, 1);
	out(FCR, FCR_ENABLE | FCR_RX_RESET);
	assert_int_equal(line, 0);
}

static uint64_t seed = 7;

static unsigned next_random(unsigned below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % below);
}

/* D28: whatever is done, the line is what IIR and MCR say. IIR is looked at
 * now and then only, because looking changes it. */
static void line_is_what_the_registers_say(void **state)
{
	unsigned raised = 0, steps;

	(void)state;
	for (steps = 0; steps < 200000; steps++) {
		enum uart_offset offset = next_random(8);
		unsigned value = next_random(256), what = next_random(16), mcr;
		int up;

		output_len = 0;
		if (what < 2)
			input("some words that do not fit");
		else if (what < 9)
			in(offset);
		else
			out(offset, value);
		if (next_random(4))
			continue;
		mcr = in(MCR);
		up = line; /* reading IIR may lower it */
		assert_int_equal(up, (mcr & MCR_OUT2) && !(mcr & MCR_LOOP) &&
					     (in(IIR)&0x0f) != IIR_NONE);
		raised += (unsigned)up;
	}
	print_message("seed 7, %u steps, line up in %u looks\n", steps, raised);
	assert_true(raised > 1000);
}

enum { BYTES = 20000 };

static void *send_bytes(void *arg)
{
	for (unsigned i = 0; i < BYTES; i++)
		out(THR, (unsigned)(uintptr_t)arg);
	return NULL;
}

static void *offer_bytes(void *arg)
{
	for (unsigned sent = 0; sent < BYTES;)
		if (input("x"))
			sent++;
		else
			sched_yield(); /* it is full */
	return arg;
}

/* Two vCPUs and the terminal; meant for SAN=thread. */
static void threads_lose_nothing(void **state)
{
	pthread_t thread[3];
	unsigned received = 0, count[2] = { 0 };

	(void)state;
	out(FCR, FCR_ENABLE);
	interrupts_on(IER_RDA | IER_THRE);
	pthread_create(&thread[0], NULL, send_bytes, (void *)(uintptr_t)'a');
	pthread_create(&thread[1], NULL, send_bytes, (void *)(uintptr_t)'b');
	pthread_create(&thread[2], NULL, offer_bytes, NULL);
	while (received < BYTES)
		if (in(LSR)&LSR_DR)
			received += in(RBR) == 'x';
		else
			sched_yield();
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < output_len; i++)
		count[output[i] - 'a']++;
	assert_int_equal(count[0], BYTES);
	assert_int_equal(count[1], BYTES);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(IIR), 0xc0 | IIR_THRE);
	assert_int_equal(line, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UART_TEST(sending_raises_as_long_as_nobody_looks),
		UART_TEST(masked_causes_do_not_raise),
		UART_TEST(out2_connects_the_line),
		UART_TEST(receiving_without_fifo),
		UART_TEST(trigger_levels_of_the_fifo),
		UART_TEST(causes_have_an_order),
		UART_TEST(dropping_the_fifo_lowers_the_line),
		UART_TEST(line_is_what_the_registers_say),
		UART_TEST(threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
