/* SPDX-License-Identifier: MIT */
/* System calls for files, and a process's table of open ones. */
#ifndef GUEST_FS_CALLS_H
#define GUEST_FS_CALLS_H

#include "guest/fs/file.h"
#include "guest/proc/syscall.h"

/* Open the console as 0, 1 and 2, where nothing is. Panics without memory. */
void files_init(struct file **files);

/* The child of a fork has the same files; who ends has none. */
void files_copy(struct file **to, struct file *const *from);
void files_close(struct file **files); /* may sleep */

/* The calling process's @fd, without a reference, or NULL. */
struct file *files_at(uint64_t fd);

call_fn sys_open, sys_close, sys_read, sys_write, sys_seek, sys_stat,
	sys_readdir, sys_truncate, sys_unlink, sys_mkdir, sys_pipe, sys_dup,
	sys_sync, sys_drop_caches;

#endif
