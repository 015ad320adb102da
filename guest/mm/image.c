/* SPDX-License-Identifier: MIT */
#include "guest/mm/image.h"

#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/anon.h"
#include "guest/mm/filemap.h"
#include "guest/mm/pte.h"

/* What may be written is copied, and so is a page that ends in zeros. */
static int nopage(struct vma *v, uintptr_t va, uint64_t *at, uint64_t error)
{
	pa_t from = { vma_index(v, va) << PAGE_SHIFT };
	size_t part = file_part(v, va);
	struct frame *f;

	(void)error;
	if (!(v->prot & PROT_WRITE)) {
		*at = from.v | PTE_BORROWED | (v->bits & ~PTE_W);
		return LAB_FAULT_DEMAND_FILE;
	}
	f = anon_prepare(v) ? frame_alloc(FRAME_ANON) : NULL;
	if (!f)
		return -ENOMEM;
	memcpy(direct(frame_pa(f)), direct(from), part);
	anon_map(v, va, at, f);
	return LAB_FAULT_DEMAND_FILE;
}

const struct vma_ops image_ops = {
	.open = anon_open,
	.close = anon_close,
	.nopage = nopage,
	.wppage = anon_wppage,
};
