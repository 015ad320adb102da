/* SPDX-License-Identifier: MIT */
/*
 * The child begins where the parent will go on: with a copy of the registers
 * that the parent brought into the kernel, and of its space (mm/space.h: no
 * page is copied until one of the two writes to it).
 */
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

int64_t sys_fork(const struct trap_frame *f)
{
	struct process *me = current();
	struct space *s = space_fork(me->space);
	struct process *child = s ? process_new(me->name, NULL) : NULL;

	if (!child) {
		if (s)
			space_free(s);
		return -ENOMEM;
	}
	child->space = s;
	child->fs_base = me->fs_base;
	child->gs_base = me->gs_base;
	files_copy(child->files, me->files);
	child->pinned = me->pinned;
	*process_frame(child) = *f;
	process_frame(child)->rax = 0;
	return process_start(child);
}
