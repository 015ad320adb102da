/* SPDX-License-Identifier: MIT */
#include "guest/lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/string.h"

struct out {
	char *to;
	size_t room, len;
};

struct spec {
	bool zero, left, prefix, wide;
	int width, precision;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->room)
		o->to[o->len] = c;
	o->len++;
}

static void put_field(struct out *o, const struct spec *s, const char *text,
		      int len)
{
	for (int i = len; !s->left && i < s->width; i++)
		put(o, ' ');
	for (int i = 0; i < len; i++)
		put(o, text[i]);
	for (int i = len; s->left && i < s->width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t n,
		       unsigned base, bool negative)
{
	char digits[32];
	char *end = digits + sizeof(digits), *at = end;
	int signs = negative ? 1 : 0;

	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	if (s->prefix)
		signs += 2;
	while (s->zero && end - at + signs < s->width && at > digits + 3)
		*--at = '0';
	if (s->prefix) {
		*--at = 'x';
		*--at = '0';
	}
	if (negative)
		*--at = '-';
	put_field(o, s, at, (int)(end - at));
}

static const char *parse_spec(struct spec *s, const char *how, va_list *args)
{
	*s = (struct spec){ .precision = -1 };
	for (;; how++) {
		if (*how == '0')
			s->zero = true;
		else if (*how == '-')
			s->left = true;
		else if (*how == '#')
			s->prefix = true;
		else
			break;
	}
	if (*how == '*') {
		s->width = va_arg(*args, int);
		how++;
	}
	for (; *how >= '0' && *how <= '9'; how++)
		s->width = s->width * 10 + (*how - '0');
	if (*how == '.') {
		s->precision = 0;
		for (how++; *how >= '0' && *how <= '9'; how++)
			s->precision = s->precision * 10 + (*how - '0');
	}
	for (; *how == 'l' || *how == 'z'; how++)
		s->wide = true;
	return how;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	int len = (int)strlen(text);

	if (s->precision >= 0 && len > s->precision)
		len = s->precision;
	put_field(o, s, text, len);
}

static void put_spec(struct out *o, const struct spec *s, char what,
		     va_list *args)
{
	int64_t n;
	char c;

	switch (what) {
	case 'd':
	case 'i':
		n = s->wide ? va_arg(*args, int64_t) : va_arg(*args, int);
		put_number(o, s, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, n < 0);
		break;
	case 'u':
	case 'x':
		put_number(o, s,
			   s->wide ? va_arg(*args, uint64_t)
				   : va_arg(*args, unsigned),
			   what == 'u' ? 10 : 16, false);
		break;
	case 's':
		put_string(o, s, va_arg(*args, const char *));
		break;
	default:
		c = what == 'c' ? (char)va_arg(*args, int) : what;
		put_field(o, s, &c, 1);
	}
}

int format_v(char *to, size_t room, const char *how, va_list args)
{
	struct out o = { .to = to, .room = room };
	struct spec s;
	va_list rest;

	va_copy(rest, args);
	for (; *how; how++) {
		if (*how != '%') {
			put(&o, *how);
			continue;
		}
		how = parse_spec(&s, how + 1, &rest);
		if (!*how)
			break;
		put_spec(&o, &s, *how, &rest);
	}
	va_end(rest);
	if (room)
		to[o.len < room ? o.len : room - 1] = '\0';
	return (int)o.len;
}

int format(char *to, size_t room, const char *how, ...)
{
	va_list args;
	int len;

	va_start(args, how);
	len = format_v(to, room, how, args);
	va_end(args);
	return len;
}
