/* SPDX-License-Identifier: MIT */
#include "guest/dev/uart.h"

#include "guest/abi.h"
#include "guest/cpu/cpu.h"

enum {
	UART_DATA = 0,
	UART_INTERRUPTS = 1,
	UART_FIFO = 2,
	UART_LINE = 3,
	UART_STATUS = 5,

	FIFO_ON = 0x07, /* on, both queues emptied */
	LINE_8N1 = 0x03,
	STATUS_DATA = 0x01,
	STATUS_EMPTY = 0x20
};

/* An empty transmit queue takes this much without another look. */
#define UART_QUEUE 16u

static uint16_t base = ABI_UART_PORT;

void uart_init(uint16_t port)
{
	base = port;
	out8(base + UART_INTERRUPTS, 0);
	out8(base + UART_FIFO, FIFO_ON);
	out8(base + UART_LINE, LINE_8N1);
}

void uart_write(const char *text, size_t n)
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

bool uart_read(char *to)
{
	if (!(in8(base + UART_STATUS) & STATUS_DATA))
		return false;
	*to = (char)in8(base + UART_DATA);
	return true;
}
