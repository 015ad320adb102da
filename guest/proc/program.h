/* SPDX-License-Identifier: MIT */
/* The programs that lie in the kernel image, each an ELF file (programs.S). */
#ifndef GUEST_PROC_PROGRAM_H
#define GUEST_PROC_PROGRAM_H

#include <stdint.h>

struct program {
	const char *name;
	const uint8_t *start, *end; /* start is page-aligned */
};

/* Program @index, or NULL behind the last. */
const struct program *program_at(unsigned index);

/* Where the program called @name is, or the one that demonstrates @name. */
#define PROGRAM_PATH 64
void program_path(char path[PROGRAM_PATH], const char *name);

/* All names, on one line. */
void program_list(void);

#endif
