/* SPDX-License-Identifier: MIT */
/* A 16550 on its I/O port, polled. */
#ifndef GUEST_DEV_UART_H
#define GUEST_DEV_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void uart_init(uint16_t port);
void uart_write(const char *text, size_t n);

/* The next byte that was typed; false: there is none. */
bool uart_read(char *to);

#endif
