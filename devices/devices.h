/* SPDX-License-Identifier: MIT */
/* How to make each device. vmm/machine.c wires them, in one visible list. */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include <stddef.h>

#include "devices/device.h"

/*
 * UART 16550A at COM1. @out gets the bytes the guest sends, in order, and must
 * not block for long; @irq is raised as IER and IIR say.
 */
struct uart_output {
	void (*write)(void *ctx, const uint8_t *bytes, size_t len);
	void *ctx;
};
struct device *uart_create(struct uart_output out, struct irq_line irq);
/* Bytes from the terminal; returns how many fitted the receive FIFO. The
 * caller keeps the rest and tries again when uart_wants_input. Any thread. */
size_t uart_input(struct device *uart, const uint8_t *bytes, size_t len);
/* Called (if set) on a vCPU thread when the FIFO has room again. */
void uart_on_room(struct device *uart, void (*room)(void *ctx), void *ctx);

/* The exit port: a 32-bit write of v calls @exit(ctx, v). Other widths too. */
struct device *exit_create(void (*exit)(void *ctx, uint32_t status), void *ctx);

#endif
