/* SPDX-License-Identifier: MIT */
/* The programs that lie in the kernel image, each an ELF file (programs.S). */
#ifndef GUEST_PROC_PROGRAM_H
#define GUEST_PROC_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

struct program {
	const char *name;
	const uint8_t *start, *end; /* start is page-aligned */
};

extern const struct program programs[], programs_end[];

/* Program @index, or NULL behind the last. */
static inline const struct program *program_at(unsigned index)
{
	return index < programs_end - programs ? &programs[index] : NULL;
}

#endif
