/* SPDX-License-Identifier: MIT */
#include "guest/user/lib/kernel.h"

#include <stdbool.h>
#include <stddef.h>

#include "guest/fs/inode.h"
#include "guest/lib/errno.h"
#include "guest/lib/format.h"
#include "guest/lib/string.h"
#include "guest/mm/leaf.h"
#include "guest/mm/table.h"
#include "guest/mm/vma.h"
#include "guest/mm/zone.h"
#include "guest/proc/process.h"
#include "guest/user/lib/sys.h"

/* What the kernel's pointer @at points to. */
static bool look(const void *at, void *to, size_t n)
{
	uintptr_t va = (uintptr_t)at;

	return at && !sys_memory(va - DIRECT_BASE, to, n);
}

static bool read_all(uint64_t pa, void *to, size_t n)
{
	char *at = to;

	while (n) {
		size_t part = PAGE_SIZE - page_offset(pa);

		part = part < n ? part : n;
		if (sys_memory(pa, at, part))
			return false;
		pa += part;
		at += part;
		n -= part;
	}
	return true;
}

/* It stays where it is. */
static const struct sys_info *places(void)
{
	static struct sys_info info;

	if (!info.counts)
		sys_info(&info);
	return &info;
}

/* The first of all processes, then the one behind @p: into @p. */
static bool first_process(struct process *p)
{
	struct process *first;

	return read_all(places()->processes, &first, sizeof(first)) &&
	       look(first, p, sizeof(*p));
}

static bool next_process(struct process *p)
{
	return look(p->next, p, sizeof(*p));
}

static bool find(int64_t pid, struct process *p)
{
	bool any = first_process(p);

	if (!pid)
		pid = sys_getpid();
	while (any && p->pid != pid)
		any = next_process(p);
	return any;
}

static int64_t find_space(int64_t pid, struct space *s)
{
	struct process p;

	return find(pid, &p) && look(p.space, s, sizeof(*s)) ? 1 : -ESRCH;
}

int64_t process_info(unsigned index, struct process_info *to)
{
	struct space s = { 0 };
	struct process p;
	bool any = first_process(&p);

	while (any && index--)
		any = next_process(&p);
	if (!any)
		return 0;
	look(p.space, &s, sizeof(s));
	*to = (struct process_info){
		.pid = p.pid,
		.state = p.state,
		.cpu = p.cpu,
		.root = s.root.v,
		.resident = s.resident,
		.ticks = p.ticks,
	};
	look((char *)p.parent + offsetof(struct process, pid), &to->parent,
	     p.parent ? sizeof(to->parent) : 0);
	format(to->name, sizeof(to->name), "%s", p.name);
	return 1;
}

static void walk_from(uint64_t table, uint64_t at, struct walk *w)
{
	for (int level = TABLE_TOP; level >= 1; level--) {
		uint64_t within = at & (level_bytes(level) - 1), entry;
		unsigned i = w->entries++;

		w->entry_pa[i] = table + level_index(at, level) * 8;
		if (sys_memory(w->entry_pa[i], &entry, sizeof(entry)))
			return;
		w->entry[i] = entry;
		table = pte_pa(entry).v;
		if (!(entry & PTE_P))
			return;
		if (level == 1 || entry & PTE_PS) {
			w->found = 1;
			w->pa = (table & ~(level_bytes(level) - 1)) | within;
			return;
		}
	}
}

int64_t walk(int64_t pid, uint64_t at, struct walk *to)
{
	struct space s;
	int64_t error = find_space(pid, &s);

	*to = (struct walk){ 0 };
	if (error == 1)
		walk_from(s.root.v, at, to);
	return error;
}

/* Where the leaf of @at lies; 0: there is none, and *next is where to go on. */
static uint64_t leaf_of(const struct space *s, uint64_t at, uint64_t *next)
{
	uint64_t table = s->root.v, entry;

	for (int level = TABLE_TOP; level > 1; level--) {
		*next = (at | (level_bytes(level) - 1)) + 1;
		if (sys_memory(table + level_index(at, level) * 8, &entry,
			       sizeof(entry)) ||
		    !(entry & PTE_P))
			return 0;
		table = pte_pa(entry).v;
	}
	return table + level_index(at, 1) * 8;
}

static void count(const struct space *s, struct area_info *a)
{
	uint64_t table[TABLE_ENTRIES], next;

	for (uint64_t at = a->start; at < a->end; at = next) {
		uint64_t leaf = leaf_of(s, at, &next), n;

		next = next < a->end ? next : a->end;
		n = (next - at) / PAGE_SIZE;
		if (!leaf || sys_memory(leaf, table, n * 8))
			continue;
		for (uint64_t i = 0; i < n; i++) {
			a->swapped += pte_is_slot(table[i]);
			a->resident += table[i] & (PTE_P | PTE_KEPT) &&
				       !(table[i] & PTE_BORROWED);
		}
	}
}

static void name(const struct space *s, const struct vma *v,
		 struct area_info *a)
{
	struct inode inode;

	if (v->kind == VMA_STACK)
		format(a->name, sizeof(a->name), "[stack]");
	if (v->kind == VMA_GATE)
		format(a->name, sizeof(a->name), "[gate]");
	if (v->kind == VMA_ANON && v->start < s->heap_end && v->end > s->heap)
		format(a->name, sizeof(a->name), "[heap]");
	if (v->kind == VMA_FILE &&
	    look(inode_of(v->mapping), &inode, sizeof(inode)))
		format(a->name, sizeof(a->name), "inode %u", inode.number);
}

/* As vma_above does it. */
static bool find_area(const struct space *s, uint64_t at, struct vma *found)
{
	const struct vma *next = s->areas;
	bool any = false;
	struct vma v;

	while (look(next, &v, sizeof(v))) {
		next = at < v.end ? v.left : v.right;
		if (at < v.end) {
			*found = v;
			any = true;
		}
	}
	return any;
}

int64_t area_info(int64_t pid, uint64_t at, struct area_info *to)
{
	struct space s;
	struct vma v;
	int64_t error = find_space(pid, &s);

	if (error != 1)
		return error;
	if (!find_area(&s, at, &v))
		return 0;
	*to = (struct area_info){
		.start = v.start,
		.end = v.end,
		.offset = v.mapping ? vma_index(&v, v.start) * PAGE_SIZE : 0,
		.prot = v.prot,
		.flags = v.flags & MAP_SHARED,
		.kind = v.kind,
		.locked = v.flags & VMA_LOCKED ? 1 : 0,
		.ops = (uintptr_t)v.ops,
	};
	count(&s, to);
	name(&s, &v, to);
	return 1;
}

int64_t kernel_counts(struct sys_counts *to)
{
	return read_all(places()->counts, to, sizeof(*to)) ? 0 : -EFAULT;
}

uint64_t used_frames(const struct sys_counts *c)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < FRAME_USES; i++)
		used += c->frames[i];
	return used;
}

uint64_t pages_kept(const struct sys_counts *c)
{
	return used_frames(c) + c->slots_used;
}

static int64_t read_zone(unsigned index, struct zone *to)
{
	if (index >= ZONES)
		return 0;
	return read_all(places()->zones + index * sizeof(*to), to, sizeof(*to));
}

/* Frames of @z whose page has a slot of swap, too. */
static uint64_t frames_with_slot(const struct zone *z)
{
	const uint64_t end = z->next >> PAGE_SHIFT;
	struct frame some[64];
	uint64_t n = 0;

	for (uint64_t i = z->start >> PAGE_SHIFT; i < end; i += 64) {
		const uint64_t many = end - i < 64 ? end - i : 64;

		read_all(places()->frames + i * sizeof(some[0]), some,
			 many * sizeof(some[0]));
		for (uint64_t k = 0; k < many; k++)
			n += some[k].slot != 0;
	}
	return n;
}

struct sys_counts settled_counts(void)
{
	struct sys_counts c = { 0 };
	struct zone z;

	sys_sync();
	sys_drop_caches();
	kernel_counts(&c);
	for (unsigned i = 0; c.slots_used && read_zone(i, &z); i++)
		c.slots_used -= frames_with_slot(&z);
	return c;
}

uint64_t all_frames(void)
{
	struct zone z;
	uint64_t total = 0;

	for (unsigned i = 0; read_zone(i, &z); i++)
		total += z.managed;
	return total;
}

int64_t kernel_zone(unsigned index, struct zone *to)
{
	if (!index)
		sys_reclaim(0);
	return read_zone(index, to);
}

uint64_t zone_free(const struct zone *z)
{
	uint64_t sum = z->never_used;

	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		sum += z->free[order].count << order;
	return sum;
}

int64_t kernel_cache(unsigned index, struct cache *to)
{
	if (index >= CACHES)
		return 0;
	return read_all(places()->caches + index * sizeof(*to), to,
			sizeof(*to));
}

uint64_t cache_room(const struct cache *c)
{
	return c->frames * (PAGE_SIZE / (c->object_bytes + sizeof(uint64_t)));
}

static bool read_frame(uint64_t pa, struct frame *to)
{
	return read_all(places()->frames + (pa >> PAGE_SHIFT) * sizeof(*to), to,
			sizeof(*to));
}

/* In use or free, of at least @order. */
static bool is_block(const struct frame *first, unsigned order)
{
	return first->order >= order &&
	       (first->use > FRAME_FREE || first->flags & FRAME_HEAD);
}

static bool is_reserved(uint64_t pa)
{
	struct range r[RESERVED_RANGES];

	if (!read_all(places()->reserved, r, sizeof(r)))
		return false;
	for (unsigned i = 0; i < RESERVED_RANGES; i++)
		if (range_has(r[i], (pa_t){ pa }))
			return true;
	return false;
}

/* A descriptor means nothing before its frame was used for the first time. */
static enum frame_use use_of(uint64_t pa, const struct frame *own)
{
	struct zone z = { 0 };
	char byte;

	if (sys_memory(pa, &byte, 1))
		return FRAME_NONE;
	if (is_reserved(pa))
		return FRAME_RESERVED;
	for (unsigned i = 0; pa >= z.end && read_zone(i, &z); i++)
		;
	return pa >= z.next ? FRAME_UNUSED : own->use;
}

int64_t kernel_frame(uint64_t pa, struct frame *to)
{
	struct frame first;

	*to = (struct frame){ 0 };
	read_frame(pa, to);
	to->use = (uint8_t)use_of(pa, to);
	for (unsigned order = 0; to->use >= FRAME_FREE && order < ZONE_ORDERS;
	     order++) {
		unsigned shift = PAGE_SHIFT + order;

		if (read_frame(pa >> shift << shift, &first) &&
		    is_block(&first, order)) {
			*to = first;
			break;
		}
	}
	if (to->use == FRAME_FREE && !(to->flags & FRAME_TOUCHED))
		to->use = FRAME_UNUSED;
	return 0;
}
