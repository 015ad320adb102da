/* SPDX-License-Identifier: MIT */
/* print and panic: lib/print.h on the console. */
#include "guest/dev/console.h"

#include <stdarg.h>

#include "guest/dev/exit.h"
#include "guest/dev/uart.h"
#include "guest/lib/format.h"
#include "guest/lib/print.h"

const struct console *console = &uart;

static void print_v(const char *how, va_list args)
{
	static char line[512];
	int n = format_v(line, sizeof(line), how, args);

	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	console->write(line, (size_t)n);
}

void print(const char *how, ...)
{
	va_list args;

	va_start(args, how);
	print_v(how, args);
	va_end(args);
}

void panic(const char *how, ...)
{
	va_list args;

	print("kernel: ");
	va_start(args, how);
	print_v(how, args);
	va_end(args);
	print("\n");
	exit_run(EXIT_PANIC);
}
