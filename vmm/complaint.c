/* SPDX-License-Identifier: MIT */
/* One line about what is wrong. */
#include <ctype.h>
#include <stdarg.h>

#include "vmm/options.h"

bool complaint_set(struct complaint *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* cppcheck-suppress ctuuninitvar ; it is written here */
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	/* File names and options come from outside and may hold line ends and
	 * terminal escapes. */
	for (char *c = why->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return false;
}
