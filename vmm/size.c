/* SPDX-License-Identifier: MIT */
/* Numbers and sizes as people write them. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "vmm/options.h"

/* The number at the start of @text; what follows it, or NULL. */
static const char *digits(const char *text, uint64_t *number)
{
	const char *c = text;

	*number = 0;
	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, *c - '0', number))
			return NULL;
	return c == text ? NULL : c;
}

bool number_parse(const char *text, uint64_t *number)
{
	const char *rest = digits(text, number);

	return rest && !*rest;
}

/* What a suffix multiplies by; 0 for what is none. */
static uint64_t suffix_unit(const char *suffix)
{
	static const char letters[] = "BKMGT";
	const char *letter = strchr(letters, toupper((unsigned char)suffix[0]));

	if (!suffix[0] || !letter || !*letter)
		return 0;
	if (suffix[1] && (letter == letters || strcasecmp(suffix + 1, "iB")))
		return 0;
	return UINT64_C(1) << (10 * (letter - letters));
}

bool size_parse(const char *text, uint64_t bare, uint64_t *bytes)
{
	const char *suffix = digits(text, bytes);
	uint64_t unit;

	if (!suffix)
		return false;
	unit = *suffix ? suffix_unit(suffix) : bare;
	return unit && !__builtin_mul_overflow(*bytes, unit, bytes);
}
