/* SPDX-License-Identifier: MIT */
/*
 * Roots that no vCPU uses now. A page of RAM is one if its upper half names the
 * same tables as that of a known root: one entry of 52 bits tells nearly every
 * other page apart, so that 8 bytes of each are looked at, and all of a few.
 */
#include <string.h>

#include "ept/walk.h"
#include "vmm/attribute.h"

#define HALF (LEVEL_ENTRIES / 2)
#define MASK (pt_x86_64.address | pt_x86_64.present)

/* To look at a page in swap is to load it. */
#define STORED_MAX (UINT64_C(1) << 17)

const char *const root_by_name[ROOTS_BY] = {
	[ROOT_BY_VCPU] = "vcpu",
	[ROOT_BY_TRACE] = "trace",
	[ROOT_BY_SEARCH] = "search",
};

/* What a root says of one half of the address space. */
struct half {
	uint64_t entry[HALF];
	unsigned present; /* how many entries are */
	unsigned highest; /* of those, if there are any */
};

static bool read_half(const struct attribute_memory *m, uint64_t root,
		      bool upper, struct half *h)
{
	gpa_t at = { root + (upper ? PAGE_SIZE / 2 : 0) };

	h->present = h->highest = 0;
	if (!ram_contains(m->ram, at, sizeof(h->entry)) ||
	    !m->look(m->ctx, at, h->entry, sizeof(h->entry)))
		return false;
	for (unsigned i = 0; i < HALF; i++) {
		if (!(h->entry[i] & pt_x86_64.present))
			continue;
		h->present++;
		h->highest = i;
	}
	return true;
}

static bool same_entry(uint64_t a, uint64_t b)
{
	return !((a ^ b) & MASK);
}

/* The same kernel's? A kernel may have entries that are not in all roots yet,
 * but none that differ. */
static bool agree(const struct half *a, const struct half *b)
{
	for (unsigned i = 0; i < HALF; i++)
		if ((a->entry[i] & b->entry[i] & pt_x86_64.present) &&
		    !same_entry(a->entry[i], b->entry[i]))
			return false;
	return true;
}

static bool equal(const struct half *a, const struct half *b)
{
	for (unsigned i = 0; i < HALF; i++)
		if (!same_entry(a->entry[i], b->entry[i]))
			return false;
	return true;
}

static const struct root *find(const struct roots *r, uint64_t cr3)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->root[i].cr3 == cr3)
			return &r->root[i];
	return NULL;
}

/* Is the root beside @cr3 known, and that of the same process? */
static bool is_twin(const struct attribute_memory *m, const struct roots *r,
		    uint64_t cr3)
{
	struct half a, b;

	return find(r, cr3 ^ PAGE_SIZE) && read_half(m, cr3, false, &a) &&
	       read_half(m, cr3 ^ PAGE_SIZE, false, &b) && a.present &&
	       equal(&a, &b);
}

void roots_add(const struct attribute_memory *m, struct roots *r,
	       struct root root)
{
	root.cr3 &= pt_x86_64.address;
	if (!ram_contains(m->ram, (gpa_t){ root.cr3 }, PAGE_SIZE) ||
	    find(r, root.cr3) || is_twin(m, r, root.cr3))
		return;
	if (r->n < ROOTS_MAX)
		r->root[r->n++] = root;
	else
		r->left_out++;
}

/* The kernel's half, as the root at work knows it that knows most. */
static bool read_kernel(const struct attribute_memory *m, struct roots *r,
			struct half *kernel)
{
	struct half h;

	*kernel = (struct half){ .present = 0 };
	for (unsigned i = 0; i < r->n; i++) {
		if (r->root[i].by != ROOT_BY_VCPU ||
		    !read_half(m, r->root[i].cr3, true, &h) ||
		    h.present <= kernel->present)
			continue;
		*kernel = h;
		r->kernel = i;
	}
	return kernel->present;
}

/* False: the page cannot be looked at now. */
static bool is_root(const struct attribute_memory *m, gpa_t at,
		    const struct half *kernel, bool *is)
{
	gpa_t tell = { at.v + (HALF + kernel->highest) * sizeof(uint64_t) };
	struct half h;
	uint64_t entry;

	*is = false;
	if (!m->look(m->ctx, tell, &entry, sizeof(entry)))
		return false;
	if (!same_entry(entry, kernel->entry[kernel->highest]))
		return true;
	*is = read_half(m, at.v, true, &h) && agree(&h, kernel);
	return true;
}

/* What a trace saw long ago may have ended, and its page be another's. */
static void drop_stale(const struct attribute_memory *m, struct roots *r,
		       const struct half *kernel)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		gpa_t at = { r->root[i].cr3 };
		bool is = r->root[i].by == ROOT_BY_VCPU;

		if (is || (is_root(m, at, kernel, &is) && is))
			r->root[n++] = r->root[i];
	}
	r->n = n;
}

/* Look at the page at @at, if it can hold anything. */
static void search(const struct attribute_memory *m, struct roots *r,
		   const struct half *kernel, gpa_t at, uint64_t *stored)
{
	enum owned state = m->state(m->ctx, gfn_of(at));
	bool is;

	if (state != OWNED_RESIDENT && state != OWNED_SWAPPED)
		return;
	if (state == OWNED_SWAPPED && (*stored)++ >= STORED_MAX)
		r->unseen++;
	else if (!is_root(m, at, kernel, &is))
		r->unseen++;
	else if (is)
		roots_add(m, r, (struct root){ at.v, 0, ROOT_BY_SEARCH });
}

void roots_find(const struct attribute_memory *m, struct roots *r)
{
	uint64_t stored = 0;
	struct half kernel;

	if (!read_kernel(m, r, &kernel))
		return;
	drop_stale(m, r, &kernel);
	for (unsigned i = 0; i < m->ram->ranges; i++) {
		const struct ram_range *range = &m->ram->range[i];

		for (uint64_t at = 0; at < range->bytes; at += PAGE_SIZE)
			search(m, r, &kernel, (gpa_t){ range->base.v + at },
			       &stored);
	}
}
