/* SPDX-License-Identifier: MIT */
/* sys.h, second part: what a program could not see by itself. */
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/sys.h"

#include <stdbool.h>

#include "guest/mm/addr.h"

#define P(pointer) ((uintptr_t)(pointer))

int64_t sys_info(struct sys_info *info)
{
	return sys_call(SYS_INFO, P(info), 0, 0);
}

int64_t sys_counts(struct sys_counts *counts)
{
	return sys_call(SYS_COUNTS, P(counts), 0, 0);
}

int64_t sys_pte_clear(uint64_t at, uint64_t bits)
{
	return sys_call(SYS_PTE_CLEAR, at, bits, 0);
}

/* In use or free, of at least @order. */
static bool is_block(const struct frame *first, unsigned order)
{
	return first->order >= order &&
	       (first->use > FRAME_FREE || first->flags & FRAME_HEAD);
}

int64_t sys_frame(uint64_t pa, struct frame *frame)
{
	int64_t error = sys_call(SYS_FRAME, pa, P(frame), 0);
	struct frame first;

	if (error || frame->use < FRAME_FREE)
		return error;
	for (unsigned order = 0; order < ZONE_ORDERS; order++) {
		uint64_t at = pa >> (PAGE_SHIFT + order)
					    << (PAGE_SHIFT + order);

		sys_call(SYS_FRAME, at, P(&first), 0);
		if (is_block(&first, order)) {
			*frame = first;
			break;
		}
	}
	if (frame->use == FRAME_FREE && !(frame->flags & FRAME_TOUCHED))
		frame->use = FRAME_UNUSED;
	return 0;
}

int64_t sys_lab(unsigned command, uint64_t arg, void *page)
{
	return sys_call(SYS_LAB, command, arg, P(page));
}

int64_t sys_process(unsigned index, struct process *process)
{
	return sys_call(SYS_PROCESS, index, P(process), 0);
}

int64_t sys_memory(uint64_t pa, void *to, size_t n)
{
	return sys_call(SYS_MEMORY, pa, P(to), n);
}

int64_t sys_zone(unsigned index, struct sys_zone *zone)
{
	return sys_call(SYS_ZONE, index, P(zone), 0);
}

uint64_t zone_free(const struct sys_zone *zone)
{
	uint64_t sum = zone->never_used;

	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		sum += zone->free[order].count << order;
	return sum;
}

int64_t sys_slab(unsigned index, struct sys_slab *slab)
{
	return sys_call(SYS_SLAB, index, P(slab), 0);
}

int64_t sys_report(void)
{
	return sys_call(SYS_REPORT, 0, 0, 0);
}

int64_t sys_limit(enum limit_what what, uint64_t value)
{
	return sys_call(SYS_LIMIT, what, value, 0);
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
