/* SPDX-License-Identifier: MIT */
#include "guest/mm/calls.h"

#include "guest/lib/errno.h"
#include "guest/mm/space.h"
#include "guest/proc/process.h"

int64_t sys_mmap(const struct trap_frame *f)
{
	struct map_request want = {
		.at = f->rdi,
		.bytes = f->rsi,
		.prot = (unsigned)f->rdx,
		.flags = (unsigned)f->r10,
		.kind = VMA_ANON,
	};

	return space_mmap(current()->space, &want);
}

int64_t sys_munmap(const struct trap_frame *f)
{
	return space_munmap(current()->space, f->rdi, f->rsi);
}

int64_t sys_mprotect(const struct trap_frame *f)
{
	return space_mprotect(current()->space, f->rdi, f->rsi,
			      (unsigned)f->rdx);
}

int64_t sys_sbrk(const struct trap_frame *f)
{
	return space_brk(current()->space, (int64_t)f->rdi);
}
