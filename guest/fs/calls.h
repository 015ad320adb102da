/* SPDX-License-Identifier: MIT */
/* The table of open files that each process has. */
#ifndef GUEST_FS_CALLS_H
#define GUEST_FS_CALLS_H

#include "guest/fs/file.h"

/* Open the console as 0, 1 and 2, where nothing is. Panics without memory. */
void files_init(struct file **files);

/* The child of a fork has the same files; who ends has none. */
void files_copy(struct file **to, struct file *const *from);
void files_close(struct file **files); /* may sleep */

/* The calling process's @fd, without a reference, or NULL. */
struct file *files_at(uint64_t fd);

#endif
