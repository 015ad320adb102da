/* SPDX-License-Identifier: MIT */
/* Where the kernel speaks and hears: a UART, or what is found later. */
#ifndef GUEST_DEV_CONSOLE_H
#define GUEST_DEV_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

struct console {
	/* Back when all is printed. Never sleeps. */
	void (*write)(const char *text, size_t n);
	/* Up to @most bytes as they were typed, at least one: sleeps. -EINTR. */
	int64_t (*read)(char *to, size_t most);
};

extern const struct console *console;

#endif
