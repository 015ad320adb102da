/* SPDX-License-Identifier: MIT */
/* Starting programs: a new space takes the place of the old one. */
#ifndef GUEST_PROC_EXEC_H
#define GUEST_PROC_EXEC_H

#include <stddef.h>

#include "guest/fs/inode.h"

/*
 * The current process is the program at @path from its first instruction on,
 * when it leaves the kernel, with text[@bytes] as arguments (proc/api.h). What
 * the root lacks is looked for in the kernel image, too. On an error (-ENOENT,
 * -ENOEXEC, -ENOMEM, -EIO) nothing has changed.
 */
int process_exec(const char *path, const char *text, size_t bytes);

/*
 * Map the segments of @file into a new space; its heap begins behind them.
 * *entry is where the program begins. May sleep. 0, -ENOEXEC (no ELF file that
 * we can map), -EIO, or as space_map.
 */
int elf_load(struct space *s, struct inode *file, uintptr_t *entry);

#endif
