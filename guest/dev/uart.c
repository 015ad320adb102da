/* SPDX-License-Identifier: MIT */
/* The 16550, the first console. */
#include "guest/dev/console.h"

#include "guest/abi.h"
#include "guest/cpu/cpu.h"
#include "guest/dev/apic.h"
#include "guest/lib/errno.h"
#include "guest/proc/sched.h"

enum {
	UART_DATA = 0,
	UART_INTERRUPTS = 1,
	UART_FIFO = 2,
	UART_MODEM = 4,
	UART_STATUS = 5,

	INTERRUPT_INPUT = 0x01,
	FIFO_ON = 0x07, /* on, both queues emptied */
	MODEM_READY = 0x0b, /* DTR, RTS, and the gate of the interrupt */
	STATUS_INPUT = 0x01,
	STATUS_EMPTY = 0x20
};

/* An empty transmit queue takes this much without another look. */
#define UART_QUEUE 16u

static uint16_t base = ABI_UART_PORT;

void uart_init(void)
{
	base = (uint16_t)this_machine.uart.at.v;
	out8(base + UART_FIFO, FIFO_ON);
}

static void write(const char *text, size_t n)
{
	while (n) {
		size_t part = n < UART_QUEUE ? n : UART_QUEUE;

		while (!(in8(base + UART_STATUS) & STATUS_EMPTY))
			;
		out8_string(base + UART_DATA, text, part);
		text += part;
		n -= part;
	}
}

/* What was typed stays there until it is read: no more interrupts till then. */
static void on_input(void *ctx)
{
	out8(base + UART_INTERRUPTS, 0);
	wake(ctx);
}

static int64_t read(char *to, size_t most)
{
	size_t n = 0;

	while (!(in8(base + UART_STATUS) & STATUS_INPUT)) {
		if (process_dying())
			return -EINTR;
		out8(base + UART_INTERRUPTS, INTERRUPT_INPUT);
		sleep_on(&uart);
	}
	while (n < most && in8(base + UART_STATUS) & STATUS_INPUT)
		to[n++] = (char)in8(base + UART_DATA);
	return (int64_t)n;
}

const struct console uart = { write, read };

void uart_connect(void)
{
	irq_connect(&this_machine.uart, on_input, (void *)&uart);
	out8(base + UART_MODEM, MODEM_READY);
}
