/* SPDX-License-Identifier: MIT */
/*
 * JSON values that always exist: JSON has no infinity, no number beyond 2^63
 * that a reader must accept, and no text that is not UTF-8, but a file name or
 * a division may give us any of them.
 */
#ifndef VMM_SAFE_JSON_H
#define VMM_SAFE_JSON_H

#include <math.h>
#include <stdint.h>

#include <jansson.h>

/* @text as a JSON string; NULL is "", bytes that are no UTF-8 become "?". */
json_t *safe_text(const char *text);

/* @n as people write addresses, "0x...". */
static inline json_t *safe_hex(uint64_t n)
{
	return json_sprintf("%#llx", (unsigned long long)n);
}

static inline json_int_t safe_count(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static inline double safe_real(double d)
{
	return isfinite(d) ? d : 0;
}

#endif
