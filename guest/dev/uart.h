/* SPDX-License-Identifier: MIT */
/* A 16550 on its I/O port: output is polled, input interrupts. */
#ifndef GUEST_DEV_UART_H
#define GUEST_DEV_UART_H

#include <stddef.h>
#include <stdint.h>

void uart_init(uint16_t port);
void uart_write(const char *text, size_t n);

/* From now on input is kept. After irq_init. */
void uart_connect(void);

/* Up to @most bytes as they were typed, at least one: sleeps. Or -EINTR. */
int64_t uart_read(char *to, size_t most);

#endif
