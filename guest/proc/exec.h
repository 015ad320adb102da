/* SPDX-License-Identifier: MIT */
/* Starting programs: a new space takes the place of the old one. */
#ifndef GUEST_PROC_EXEC_H
#define GUEST_PROC_EXEC_H

#include <stdint.h>

/* A program's arguments, each ended by a NUL, as many as @count. */
#define ARGUMENT_BYTES 4080ul
struct arguments {
	uint64_t count, bytes;
	char text[ARGUMENT_BYTES];
};

/* One more. -E2BIG. */
int arguments_add(struct arguments *a, const char *text);

/*
 * The current process is the program at @path from its first instruction on, when it
 * leaves the kernel. What the root lacks is looked for in the kernel image,
 * too. On an error (-ENOENT, -ENOEXEC, -ENOMEM, -EIO) nothing has changed.
 */
int process_exec(const char *path, const struct arguments *a);

#endif
