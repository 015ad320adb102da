/* SPDX-License-Identifier: MIT */
/* A 16550 on its I/O port: output is polled, input interrupts. */
#ifndef GUEST_DEV_UART_H
#define GUEST_DEV_UART_H

#include "guest/dev/console.h"

extern const struct console uart;

void uart_init(uint16_t port);

/* From now on input interrupts. After apic_init. */
void uart_connect(void);

#endif
