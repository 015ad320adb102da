/* SPDX-License-Identifier: MIT */
/* sys.h, second part: what a program could not see by itself. */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/sys.h"

#define P(pointer) ((uintptr_t)(pointer))

int64_t sys_info(struct sys_info *info)
{
	return sys_call(SYS_INFO, P(info), 0, 0);
}

int64_t sys_lab(unsigned command, uint64_t arg, void *page)
{
	return sys_call(SYS_LAB, command, arg, P(page));
}

int64_t sys_memory(uint64_t pa, void *to, size_t n)
{
	return sys_call(SYS_MEMORY, pa, P(to), n);
}

int64_t sys_report(void)
{
	return sys_call(SYS_REPORT, 0, 0, 0);
}

int64_t sys_limit(uint64_t frames)
{
	return sys_call(SYS_LIMIT, frames, 0, 0);
}

int64_t sys_drop_caches(void)
{
	return sys_call(SYS_DROP_CACHES, 0, 0, 0);
}

int64_t sys_reclaim(uint64_t frames)
{
	return sys_call(SYS_RECLAIM, frames, 0, 0);
}

int64_t sys_object(struct sys_object *object)
{
	return sys_call(SYS_OBJECT, P(object), 0, 0);
}

int64_t sys_probe(struct sys_probe *probe)
{
	return sys_call(SYS_PROBE, P(probe), 0, 0);
}

int64_t sys_dma(struct sys_dma *dma)
{
	return sys_call(SYS_DMA, P(dma), 0, 0);
}

void lock_memory(void)
{
	struct area_info a = { 0 };

	while (area_info(0, a.end, &a) == 1)
		sys_mlock(a.start, a.end - a.start);
}
