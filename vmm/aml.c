/* SPDX-License-Identifier: MIT */
#include "vmm/aml.h"

#include <assert.h>
#include <string.h>

#define OP_NAME	  0x08
#define OP_DWORD  0x0c
#define OP_STRING 0x0d

void aml_number(struct aml *a, uint64_t value, unsigned bytes)
{
	assert(a->len + bytes <= a->room);
	for (; bytes; bytes--, value >>= 8)
		a->to[a->len++] = (uint8_t)value;
}

void aml_text(struct aml *a, const char *text)
{
	for (; *text; text++)
		aml_number(a, (uint8_t)*text, 1);
}

/* The length in its two-byte form: 12 bits, the low 4 of them in the first
 * byte, whose high ones count the bytes that follow. */
size_t aml_open(struct aml *a, uint16_t op)
{
	aml_number(a, op, op > 0xff ? 2 : 1);
	aml_number(a, 0, 2);
	return a->len - 2;
}

void aml_close(struct aml *a, size_t opened)
{
	size_t len = a->len - opened;

	assert(len < 1 << 12);
	a->to[opened] = (uint8_t)(0x40 | (len & 0xf));
	a->to[opened + 1] = (uint8_t)(len >> 4);
}

void aml_name(struct aml *a, const char *name)
{
	aml_number(a, OP_NAME, 1);
	aml_text(a, name);
}

void aml_name_text(struct aml *a, const char *name, const char *value)
{
	aml_name(a, name);
	aml_number(a, OP_STRING, 1);
	aml_text(a, value);
	aml_number(a, 0, 1);
}

void aml_name_number(struct aml *a, const char *name, uint32_t value)
{
	aml_name(a, name);
	aml_number(a, OP_DWORD, 1);
	aml_number(a, value, 4);
}
