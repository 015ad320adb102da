/* SPDX-License-Identifier: MIT */
/* What a process's memory looks like: its areas, and the walk of an address. */
#include "guest/fs/inode.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/lib/format.h"
#include "guest/proc/syscall.h"
#include "guest/mm/leaf.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"

/* Of process @pid, 0 the calling one; NULL: there is none. */
static struct space *space_of(uint64_t pid)
{
	struct process *p = pid ? process_find((uint32_t)pid) : current();

	return p && pid <= UINT32_MAX ? p->space : NULL;
}

static int64_t give(uintptr_t to, const void *from, size_t n, int64_t answer)
{
	return user_write(current()->space, to, from, n) ? -EFAULT : answer;
}

static struct sys_vma *counted; /* by count, under the kernel lock */

static void count(struct vma *v, uint64_t *at)
{
	(void)v;
	counted->resident += leaf_frame(*at) != NULL;
	counted->swapped += pte_is_slot(*at);
}

static void name_area(const struct vma *v, struct sys_vma *to)
{
	const struct space *s = v->space;
	const char *name = "";

	if (v->kind == VMA_STACK)
		name = "[stack]";
	else if (v->kind == VMA_GATE)
		name = "[gate]";
	else if (v->kind == VMA_ANON && v->start < s->heap_end &&
		 v->end > s->heap)
		name = "[heap]";
	if (v->kind == VMA_FILE && v->mapping)
		format(to->name, sizeof(to->name), "inode %u",
		       inode_of(v->mapping)->number);
	else
		format(to->name, sizeof(to->name), "%s", name);
}

static void describe(struct vma *v, struct sys_vma *to)
{
	*to = (struct sys_vma){
		.start = v->start,
		.end = v->end,
		.offset = v->mapping ? v->offset << PAGE_SHIFT : 0,
		.prot = v->prot,
		.map_flags = v->flags & MAP_SHARED,
		.kind = v->kind,
		.locked = v->flags & VMA_LOCKED ? 1 : 0,
	};
	if (v->kind == VMA_FILE)
		to->map_flags |= MAP_FILE;
	counted = to;
	space_each(v, v->start, v->end, count);
	name_area(v, to);
}

int64_t sys_vma(const struct trap_frame *f)
{
	struct space *s = space_of(f->rdi);
	struct vma *v = s ? vma_above(s->areas, 0) : NULL;
	struct sys_vma vma;

	if (!s)
		return -ESRCH;
	for (uint64_t i = f->rsi; v && i; i--)
		v = vma_above(s->areas, v->end);
	if (!v)
		return 0;
	describe(v, &vma);
	return give(f->rdx, &vma, sizeof(vma), 1);
}

/* Unlike table_walk this keeps what it reads on the way. */
static void walk(pa_t table, uintptr_t va, struct sys_walk *w)
{
	for (int level = TABLE_TOP; level >= 1; level--) {
		uintptr_t within = va & (level_bytes(level) - 1);
		unsigned i = w->entries++;
		uint64_t entry;

		w->entry_pa[i] = table.v + level_index(va, level) * 8;
		if (broken("paging"))
			w->entry_pa[i] ^= 8;
		entry = *(uint64_t *)direct((pa_t){ w->entry_pa[i] });
		w->entry[i] = entry;
		if (!(entry & PTE_P))
			return;
		table = pte_pa(entry);
		if (level == 1 || entry & PTE_PS) {
			w->found = 1;
			w->pa = (table.v & ~(level_bytes(level) - 1)) | within;
			return;
		}
	}
}

int64_t sys_walk(const struct trap_frame *f)
{
	struct space *s = space_of(f->rdi);
	struct sys_walk w = { 0 };

	if (!s)
		return -ESRCH;
	walk(s->root, f->rsi, &w);
	return give(f->rdx, &w, sizeof(w), 0);
}
