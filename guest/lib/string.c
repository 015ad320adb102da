/* SPDX-License-Identifier: MIT */
/*
 * Written for short code, not for speed: where ring 0 is emulated, one rep
 * instruction is far cheaper than the loop it replaces.
 */
#include "guest/lib/string.h"

void *memset(void *to, int byte, size_t n)
{
	void *at = to;

	__asm__ volatile("rep stosb"
			 : "+D"(at), "+c"(n)
			 : "a"(byte)
			 : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *at = to;
	size_t words = n / 8;

	__asm__ volatile("rep movsq"
			 : "+D"(at), "+S"(from), "+c"(words)
			 :
			 : "memory");
	n %= 8;
	__asm__ volatile("rep movsb"
			 : "+D"(at), "+S"(from), "+c"(n)
			 :
			 : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool streq(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

bool str_begins(const char *s, const char *prefix)
{
	return !memcmp(s, prefix, strlen(prefix));
}

const char *last_part(const char *path)
{
	for (const char *at = path; *at; at++)
		if (*at == '/')
			path = at + 1;
	return path;
}
