/* SPDX-License-Identifier: MIT */
/*
 * Writing tables of bytes, among them AML, the language of ACPI's DSDT (ACPI
 * 6.4, chapter 20). A table that does not fit its room is a mistake of ours.
 */
#ifndef VMM_AML_H
#define VMM_AML_H

#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *to;
	size_t room, len;
};

/* @bytes of @value, little-endian; of a string without its NUL. */
void aml_number(struct aml *a, uint64_t value, unsigned bytes);
void aml_text(struct aml *a, const char *text);

/* AML: what begins with the opcode @op (its bytes, the first one lowest) and
 * the length of all up to aml_close, which gets the result. */
size_t aml_open(struct aml *a, uint16_t op);
void aml_close(struct aml *a, size_t opened);

/* Name (@name, …): a string, a double word, and what the caller adds. */
void aml_name(struct aml *a, const char *name);
void aml_name_text(struct aml *a, const char *name, const char *value);
void aml_name_number(struct aml *a, const char *name, uint32_t value);

#endif
