/* SPDX-License-Identifier: MIT */
/* The programs that lie in the kernel image, each an ELF file (programs.S). */
#ifndef GUEST_PROC_PROGRAM_H
#define GUEST_PROC_PROGRAM_H

#include <stdint.h>

struct program {
	const char *name;
	const uint8_t *start, *end; /* start is page-aligned */
};

/* The name of the program that demonstrates @name, else @name itself. */
const char *program_of(const char *name);

/* Program @index, or NULL behind the last. */
const struct program *program_at(unsigned index);

/* All names, on one line. */
void program_list(void);

#endif
