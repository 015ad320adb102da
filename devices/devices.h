/* SPDX-License-Identifier: MIT */
/* How to make each device. vmm/machine.c wires them, in one visible list. */
#ifndef DEVICES_DEVICES_H
#define DEVICES_DEVICES_H

#include <stddef.h>
#include <time.h>

#include "devices/device.h"

/*
 * UART 16550A at COM1. @out gets the bytes the guest sends, in order, and must
 * not block for long; @irq is raised as IER and IIR say while the guest has set
 * OUT2, as on a PC. Both are called with the device's lock held: they must not
 * call back into it. NULL: no memory.
 */
struct uart_output {
	void (*write)(void *ctx, const uint8_t *bytes, size_t len);
	void *ctx;
};
struct device *uart_create(struct uart_output out, struct irq_line irq);
/* Bytes from the terminal; returns how many fitted the receive FIFO. The
 * caller keeps the rest and tries again when told that there is room. Any
 * thread. */
size_t uart_input(struct device *uart, const uint8_t *bytes, size_t len);
/* @room is called on a vCPU thread, no lock held, when an uart_input did not
 * fit and the FIFO has room again. Set it before the first vCPU runs. */
void uart_on_room(struct device *uart, void (*room)(void *ctx), void *ctx);

/* The real-time clock at ports 0x70 and 0x71, which goes by @now: UTC. That is
 * called with the device's lock held. NULL: no memory. */
struct device *rtc_create(struct timespec (*now)(void));
/* How many milliseconds until the alarm that the guest has set, more than 0 and
 * up to a day; -1: it is off, or never. Any thread. */
int rtc_alarm(struct device *rtc);

/* The exit port: a 32-bit write of v calls @exit(ctx, v). Other widths too.
 * From any vCPU thread. NULL: no memory. */
struct device *exit_create(void (*exit)(void *ctx, uint32_t status), void *ctx);

#endif
