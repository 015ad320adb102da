/* SPDX-License-Identifier: MIT */
#include "ept/state.h"
#include "ept/twostage.h"
#include "ept/walk.h"

#define CR3_TABLE UINT64_C(0x000ffffffffff000) /* SDM 3A, table 4-12 */

struct visitor {
	struct stage2 *s;
	void (*visit)(void *ctx, const struct twostage_ref *r);
	void *ctx;
	gpa_t translating; /* what the stage-2 walk under way is for */
};

static void see(struct visitor *v, unsigned stage, unsigned level, gpa_t gpa,
		uint64_t entry)
{
	struct twostage_ref r = { stage, level, gpa, entry };

	if (v->visit)
		v->visit(v->ctx, &r);
}

static bool read_stage2(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	struct visitor *v = ctx;

	*entry = ((const struct pte *)(uintptr_t)at)->v;
	see(v, 2, level, v->translating, *entry);
	return true;
}

/* Is the page at @at mapped by stage 2? */
static bool walk_stage2(struct visitor *v, gpa_t at)
{
	const struct pt_memory host = { .read = read_stage2, .ctx = v };
	struct walk w;

	if (gfn_of(at).v >= EPT_PAGES)
		return false;
	v->translating = at;
	pthread_mutex_lock(&v->s->lock);
	w = walk(&pt_ept, &host, (uintptr_t)v->s->ept.root, gfn_of(at).v);
	pthread_mutex_unlock(&v->s->lock);
	return w.end == WALK_LEAF;
}

/* The hardware finds the table first, by stage 2, then reads the entry. */
static bool read_stage1(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	struct visitor *v = ctx;
	gpa_t gpa = { at };

	walk_stage2(v, gpa);
	if (!stage2_peek(v->s, gpa, entry, sizeof(*entry)))
		return false;
	see(v, 1, level, gpa, *entry);
	return true;
}

static bool canonical(gva_t at)
{
	uint64_t top = at.v >> 47;

	return top == 0 || top == UINT64_C(0x1ffff);
}

struct twostage twostage_walk(struct stage2 *s, uint64_t cr3, gva_t at,
			      void (*visit)(void *ctx,
					    const struct twostage_ref *r),
			      void *ctx)
{
	struct visitor v = { .s = s, .visit = visit, .ctx = ctx };
	const struct pt_memory guest = { .read = read_stage1, .ctx = &v };
	struct twostage t = { 0 };
	struct walk w;

	if (!canonical(at))
		return t;
	w = walk(&pt_x86_64, &guest, cr3 & CR3_TABLE, at.v >> PAGE_SHIFT);
	if (w.end != WALK_LEAF)
		return t;
	t.has_gpa = true;
	t.gpa.v = walk_target(&pt_x86_64, w, at.v >> PAGE_SHIFT) << PAGE_SHIFT |
		  (at.v & PAGE_MASK);
	t.found = walk_stage2(&v, t.gpa);
	return t;
}

bool twostage_walk_gpa(struct stage2 *s, gpa_t at,
		       void (*visit)(void *ctx, const struct twostage_ref *r),
		       void *ctx)
{
	struct visitor v = { .s = s, .visit = visit, .ctx = ctx };

	return walk_stage2(&v, at);
}
