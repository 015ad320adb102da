/* SPDX-License-Identifier: MIT */
/* A UART with its output and its interrupt line recorded. */
#ifndef TESTS_UART_FIXTURE_H
#define TESTS_UART_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "devices/devices.h"
#include "devices/uart_bits.h"

static struct device *uart;
static uint8_t output[1 << 16];
static size_t output_len;
static int line;
static unsigned edges; /* how often the line rose */
static unsigned rooms; /* how often room was called */

static inline void on_output(void *ctx, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(ctx, output);
	assert_true(len <= sizeof(output) - output_len);
	memcpy(output + output_len, bytes, len);
	output_len += len;
}

static inline void on_irq(void *ctx, int level)
{
	assert_ptr_equal(ctx, &line);
	assert_int_not_equal(level, line); /* changes only */
	line = level;
	edges += (unsigned)level;
}

static inline void on_room(void *ctx)
{
	assert_ptr_equal(ctx, &rooms);
	rooms++;
}

static inline int uart_setup(void **state)
{
	(void)state;
	output_len = 0;
	line = 0;
	edges = rooms = 0;
	uart = uart_create((struct uart_output){ on_output, output },
			   (struct irq_line){ on_irq, &line });
	if (uart)
		uart_on_room(uart, on_room, &rooms);
	return !uart;
}

static inline int uart_teardown(void **state)
{
	(void)state;
	uart->ops->destroy(uart);
	return 0;
}

static inline unsigned in(enum uart_offset offset)
{
	return (unsigned)uart->ops->read(uart, offset, 1);
}

static inline void out(enum uart_offset offset, unsigned value)
{
	uart->ops->write(uart, offset, 1, value);
}

static inline size_t input(const char *text)
{
	return uart_input(uart, (const uint8_t *)text, strlen(text));
}

/* Interrupts @ier on, connected to the line as a PC's driver does it. */
static inline void interrupts_on(unsigned ier)
{
	out(MCR, MCR_OUT2);
	out(IER, ier);
}

#define UART_TEST(f) \
	cmocka_unit_test_setup_teardown(f, uart_setup, uart_teardown)

#endif
