/* SPDX-License-Identifier: MIT */
#include "guest/mm/areas.h"

#include "guest/lib/errno.h"
#include "guest/mm/fault.h"
#include "guest/mm/pte.h"

bool areas_valid(uintptr_t at, size_t bytes)
{
	return bytes && !page_offset(at) && bytes <= USER_END &&
	       at <= USER_END - page_up(bytes);
}

bool areas_whole(struct space *s, uintptr_t at, uintptr_t end)
{
	while (at < end) {
		struct vma *v = vma_above(s->areas, at);

		if (!v || v->start > at)
			return false;
		at = v->end;
	}
	return true;
}

bool areas_cut(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *first = vma_above(s->areas, at), *last;

	if (first && first->start < at && !vma_split(&s->areas, first, at))
		return false;
	last = vma_above(s->areas, end);
	if (last && last->start < end && !vma_split(&s->areas, last, end))
		return false;
	s->recent = NULL;
	return true;
}

struct vma *areas_next(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *v = vma_above(s->areas, at);

	return v && v->start < end ? v : NULL;
}

void areas_merge(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *v;

	s->recent = NULL;
	vma_merge(&s->areas, at);
	while ((v = vma_above(s->areas, at)) && v->end <= end) {
		at = v->end;
		vma_merge(&s->areas, at);
	}
}

int areas_fill(struct vma *v)
{
	uint64_t error = FAULT_U | (v->prot & PROT_WRITE ? FAULT_W : 0);
	int failed = 0;

	for (uintptr_t va = v->start; !failed && va < v->end; va += PAGE_SIZE)
		if (v->prot)
			failed = fault_resolve(v->space, va, error);
	return failed ? -ENOMEM : 0;
}
