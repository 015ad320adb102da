/* SPDX-License-Identifier: MIT */
/*
 * The child begins where the parent will go on: with a copy of the registers
 * that the parent brought into the kernel, and of its space (mm/space.h: no
 * page is copied until one of the two writes to it).
 */
#include "guest/proc/fork.h"

#include "guest/fs/calls.h"
#include "guest/lib/errno.h"
#include "guest/proc/sched.h"

int64_t process_fork(void)
{
	struct process *me = current();
	struct space *s = space_fork(me->space);
	struct process *child = s ? process_new(me->name) : NULL;

	if (!child) {
		if (s)
			space_free(s);
		return -ENOMEM;
	}
	child->pid = process_new_pid();
	child->space = s;
	child->fs_base = me->fs_base;
	child->gs_base = me->gs_base;
	child->quiet = me->quiet;
	files_copy(child->files, me->files);
	child->pinned = me->pinned;
	*process_frame(child) = *process_frame(me);
	process_frame(child)->rax = 0;
	sched_add(child);
	return child->pid;
}
