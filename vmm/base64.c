/* SPDX-License-Identifier: MIT */
#include "vmm/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			     "wxyz0123456789+/";

char *base64_encode(const void *from, size_t len)
{
	const uint8_t *b = from;
	char *text = malloc((len + 2) / 3 * 4 + 1), *to = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)b[i] << 16;

		v |= left > 1 ? (uint32_t)b[i + 1] << 8 : 0;
		v |= left > 2 ? b[i + 2] : 0;
		*to++ = digits[v >> 18];
		*to++ = digits[v >> 12 & 63];
		*to++ = left > 1 ? digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? digits[v & 63] : '=';
	}
	*to = '\0';
	return text;
}

/* The value of a digit; -1: it is none. */
static int value(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool base64_decode(const char *text, void *to, size_t room, size_t *len)
{
	size_t n = strlen(text);
	uint8_t *out = to;

	*len = 0;
	if (n % 4)
		return false;
	for (size_t i = 0; i < n; i += 4) {
		unsigned bytes = text[i + 3] != '='   ? 3
				 : text[i + 2] != '=' ? 2
						      : 1;
		uint32_t v = 0;

		if (bytes < 3 && i + 4 < n)
			return false;
		for (unsigned k = 0; k < 4; k++) {
			int digit = k <= bytes ? value(text[i + k]) : 0;

			if (digit < 0)
				return false;
			v = v << 6 | (unsigned)digit;
		}
		for (unsigned k = 0; k < bytes; k++) {
			if (*len == room)
				return false;
			out[(*len)++] = (uint8_t)(v >> (16 - 8 * k));
		}
	}
	return true;
}
