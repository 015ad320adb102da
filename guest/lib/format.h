/* SPDX-License-Identifier: MIT */
/*
 * printf's little brother: %d %u %x %c %s %%, with the flags '-', '#' and '0'
 * in this order, a width, and l. Like snprintf it returns the length the text
 * would have, and what it writes, in @room of 1 or more, always ends in a NUL.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

__attribute__((format(printf, 3, 4))) int format(char *to, size_t room,
						 const char *how, ...);
int format_v(char *to, size_t room, const char *how, va_list args);
