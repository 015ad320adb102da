/* SPDX-License-Identifier: MIT */
/*
 * What a program says about memory it has: keep it here (mlock), I shall need
 * it or not (madvise), store it now (msync).
 */
#include "guest/lib/errno.h"
#include "guest/mm/areas.h"
#include "guest/mm/leaf.h"
#include "guest/mm/reclaim.h"

static int lock_area(struct vma *v)
{
	v->flags |= VMA_LOCKED;
	space_each(v, v->start, v->end, leaf_lock);
	return areas_fill(v);
}

static int unlock_area(struct vma *v)
{
	v->flags &= ~VMA_LOCKED;
	space_each(v, v->start, v->end, leaf_unlock);
	return 0;
}

int space_mlock(struct space *s, uintptr_t at, size_t bytes, bool lock)
{
	uintptr_t from = at, end = at + page_up(bytes);
	struct vma *v;
	int error = 0;

	if (!areas_valid(at, bytes))
		return -EINVAL;
	if (!areas_whole(s, at, end) || !areas_cut(s, at, end))
		return -ENOMEM;
	for (; !error && (v = areas_next(s, from, end)); from = v->end)
		error = lock ? lock_area(v) : unlock_area(v);
	areas_merge(s, at, end);
	return error;
}

static uintptr_t lower(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

int space_msync(struct space *s, uintptr_t at, size_t bytes)
{
	uintptr_t end = at + page_up(bytes);
	struct vma *v;
	int error = 0;

	if (!areas_valid(at, bytes))
		return -EINVAL;
	if (!areas_whole(s, at, end))
		return -ENOMEM;
	for (; !error && (v = areas_next(s, at, end)); at = v->end)
		if (v->ops->sync)
			error = v->ops->sync(v, at, lower(v->end, end));
	return error;
}

int space_madvise(struct space *s, uintptr_t at, size_t bytes, unsigned advice)
{
	uintptr_t end = at + page_up(bytes);
	struct vma *v;
	int error = 0;

	if (!areas_valid(at, bytes) || !advice || advice > MADVISE_PAGEOUT)
		return -EINVAL;
	if (!areas_whole(s, at, end))
		return -ENOMEM;
	for (; !error && (v = areas_next(s, at, end)); at = v->end) {
		if (v->flags & VMA_LOCKED && advice == MADVISE_DONTNEED)
			error = -EINVAL;
		else if (advice == MADVISE_PAGEOUT)
			error = reclaim_range(v, at, lower(v->end, end));
		else if (v->ops->advise)
			error = v->ops->advise(v, at, lower(v->end, end),
					       advice);
	}
	return error;
}
