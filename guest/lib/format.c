/* SPDX-License-Identifier: MIT */
/* printf, for the kernel and its programs. */
#include "guest/lib/format.h"

#include <stdint.h>

#include "guest/lib/string.h"

struct out {
	char *to;
	size_t room, len;
};

struct spec {
	bool zero, left, prefix, wide;
	size_t width;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->room)
		o->to[o->len] = c;
	o->len++;
}

static void put_field(struct out *o, const struct spec *s, const char *text,
		      size_t len)
{
	for (size_t i = len; !s->left && i < s->width; i++)
		put(o, ' ');
	for (size_t i = 0; i < len; i++)
		put(o, text[i]);
	for (size_t i = len; s->left && i < s->width; i++)
		put(o, ' ');
}

/* What stands before the digits is @sign: "", "-" or "0x". */
static void put_number(struct out *o, const struct spec *s, uint64_t n,
		       unsigned base, const char *sign)
{
	char digits[32];
	char *end = digits + sizeof(digits), *at = end;
	size_t signs = strlen(sign);

	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	while (s->zero && (size_t)(end - at) + signs < s->width &&
	       at > digits + signs)
		*--at = '0';
	while (signs)
		*--at = sign[--signs];
	put_field(o, s, at, (size_t)(end - at));
}

static const char *parse_spec(struct spec *s, const char *how)
{
	*s = (struct spec){ 0 };
	s->left = *how == '-';
	how += s->left;
	s->prefix = *how == '#';
	how += s->prefix;
	s->zero = *how == '0';
	how += s->zero;
	for (; *how >= '0' && *how <= '9'; how++)
		s->width = s->width * 10 + (size_t)(*how - '0');
	for (; *how == 'l'; how++)
		s->wide = true;
	return how;
}

static void put_spec(struct out *o, const struct spec *s, char what,
		     va_list *args)
{
	const char *text;
	int64_t n;
	uint64_t u;
	char c;

	switch (what) {
	case 'd':
		n = s->wide ? va_arg(*args, int64_t) : va_arg(*args, int);
		put_number(o, s, n < 0 ? -(uint64_t)n : (uint64_t)n, 10,
			   n < 0 ? "-" : "");
		break;
	case 'u':
	case 'x':
		u = s->wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned);
		put_number(o, s, u, what == 'u' ? 10 : 16,
			   s->prefix ? "0x" : "");
		break;
	case 's':
		text = va_arg(*args, const char *);
		put_field(o, s, text, strlen(text));
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
		how = parse_spec(&s, how + 1);
		put_spec(&o, &s, *how, &rest);
	}
	va_end(rest);
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
