/* SPDX-License-Identifier: MIT */
/* What the kernel says to the world outside: text, and a status at the end. */
#include "guest/dev/console.h"

#include "guest/boot/machine.h"
#include "guest/cpu/cpu.h"
#include "guest/dev/lab.h"
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

void exit_run(int status)
{
	lab_finish();
	out32((uint16_t)this_machine.exit.at.v, (uint32_t)status);
	cpu_stop();
}
