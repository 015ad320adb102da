/* SPDX-License-Identifier: MIT */
#include "guest/user/lib/text.h"

#include "guest/lib/string.h"

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

size_t strlcpy(char *to, const char *from, size_t room)
{
	size_t length = strlen(from);
	size_t n = length < room ? length : room - 1;

	memcpy(to, from, n);
	to[n] = '\0';
	return length;
}
