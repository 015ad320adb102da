/* SPDX-License-Identifier: MIT */
#include "guest/user/sys.h"

void sys_exit(int status)
{
	for (;;)
		sys_call(SYS_EXIT, (uint64_t)status, 0, 0);
}

int64_t sys_write(int fd, const void *from, size_t n)
{
	return sys_call(SYS_WRITE, (uint64_t)fd, (uintptr_t)from, n);
}

int64_t sys_mmap(uint64_t at, size_t bytes, unsigned prot, unsigned flags)
{
	return sys_call6(SYS_MMAP, at, bytes, prot, flags, 0, 0);
}

int64_t sys_munmap(uint64_t at, size_t bytes)
{
	return sys_call(SYS_MUNMAP, at, bytes, 0);
}

int64_t sys_mprotect(uint64_t at, size_t bytes, unsigned prot)
{
	return sys_call(SYS_MPROTECT, at, bytes, prot);
}

int64_t sys_sbrk(size_t bytes)
{
	return sys_call(SYS_SBRK, bytes, 0, 0);
}

int64_t sys_ticks(void)
{
	return sys_call(SYS_TICKS, 0, 0, 0);
}

int64_t sys_info(struct sys_info *info)
{
	return sys_call(SYS_INFO, (uintptr_t)info, 0, 0);
}

int64_t sys_counts(struct sys_counts *counts)
{
	return sys_call(SYS_COUNTS, (uintptr_t)counts, 0, 0);
}

int64_t sys_walk(uint64_t at, struct sys_walk *walk)
{
	return sys_call(SYS_WALK, 0, at, (uintptr_t)walk);
}

int64_t sys_pte_clear(uint64_t at, uint64_t bits)
{
	return sys_call(SYS_PTE_CLEAR, at, bits, 0);
}

int64_t sys_frame(uint64_t pa, struct frame_info *info)
{
	return sys_call(SYS_FRAME, pa, (uintptr_t)info, 0);
}

int64_t sys_lab(struct sys_lab *lab)
{
	return sys_call(SYS_LAB, (uintptr_t)lab, 0, 0);
}
