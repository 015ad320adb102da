/* SPDX-License-Identifier: MIT */
#include "guest/user/lib/stdio.h"

#include <stdarg.h>

#include "guest/lib/errno.h"
#include "guest/lib/format.h"
#include "guest/lib/string.h"
#include "guest/user/lib/sys.h"

int write_all(int fd, const void *from, size_t n)
{
	const char *at = from;

	while (n) {
		int64_t part = sys_write(fd, at, n);

		if (part <= 0)
			return part ? (int)part : -ENOSPC;
		at += part;
		n -= (size_t)part;
	}
	return 0;
}

static int print(int fd, const char *how, va_list args)
{
	char text[1024];
	int n = format_v(text, sizeof(text), how, args);

	write_all(fd, text,
		  (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
	return n;
}

int printf(const char *how, ...)
{
	va_list args;
	int n;

	va_start(args, how);
	n = print(1, how, args);
	va_end(args);
	return n;
}

int dprintf(int fd, const char *how, ...)
{
	va_list args;
	int n;

	va_start(args, how);
	n = print(fd, how, args);
	va_end(args);
	return n;
}

/* The digits at @text into *value; what follows them, or NULL. */
static const char *parse_digits(const char *text, uint64_t *value)
{
	uint64_t v = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, *text - '0', &v))
			return NULL;
	*value = v;
	return text;
}

static bool parse_hex(const char *text, uint64_t *value)
{
	uint64_t v = 0;
	unsigned digit;

	if (!*text || strlen(text) > 16)
		return false;
	for (; *text; text++) {
		if (*text >= '0' && *text <= '9')
			digit = (unsigned)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			digit = (unsigned)(*text - 'a') + 10;
		else
			return false;
		v = v << 4 | digit;
	}
	*value = v;
	return true;
}

bool parse_number(const char *text, uint64_t *value)
{
	if (str_begins(text, "0x"))
		return parse_hex(text + 2, value);
	text = parse_digits(text, value);
	return text && !*text;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	unsigned shift = 0;

	text = parse_digits(text, bytes);
	if (!text)
		return false;
	switch (*text) {
	case '\0':
		return true;
	case 'G':
		shift += 10; /* fall through */
	case 'M':
		shift += 10; /* fall through */
	case 'K':
		shift += 10;
	}
	if (!shift || text[1] || *bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}
