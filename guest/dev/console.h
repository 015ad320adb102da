/* SPDX-License-Identifier: MIT */
/*
 * The world outside: where the kernel speaks and hears, a UART or what is found
 * later, and the end of the run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct console {
	/* Back when all is printed. Never sleeps. */
	void (*write)(const char *text, size_t n);
	/* Up to @most bytes as they were typed, at least one: sleeps. -EINTR. */
	int64_t (*read)(char *to, size_t most);
};

extern const struct console *console;

/* A 16550 where the machine has it: output is polled, input interrupts. */
extern const struct console uart;
void uart_init(void);

/* From now on input interrupts. After apic_init. */
void uart_connect(void);

/*
 * The statuses of a run that a program has not chosen itself; all are at most
 * 123, for the hypervisor keeps what lies above.
 */
enum {
	EXIT_KILLED = 11, /* the program faulted */
	EXIT_MEMORY_LOST = 119, /* it touched memory that has failed */
	EXIT_PANIC = 121,
	EXIT_MAX = 123
};

/* The end of the run. */
_Noreturn void exit_run(int status);
