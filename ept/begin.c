/* SPDX-License-Identifier: MIT */
/* What guest memory begins as: zeros, bytes of the guest's file, or a file that
 * VMs share. */
#include <errno.h>

#include "ept/state.h"

void begin_count(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;

	for (unsigned i = 0; i < c->regions; i++) {
		s->pages += c->region[i].pages;
		if (!c->share[i])
			s->ram += c->region[i].pages;
		else
			assert(c->paging && !c->large_pages);
	}
}

int begin_backing(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;
	uint64_t pages = 0;
	int r = backing_create(&s->backing, s->pages / s->frame_pages,
			       c->large_pages ? PAGE_SHIFT + LEVEL_BITS
					      : PAGE_SHIFT,
			       c->paging);

	if (r)
		return r;
	for (unsigned i = 0; i < c->regions && !r; i++) {
		if (c->share[i])
			r = backing_lay(&s->backing, (frame_t){ pages },
					c->region[i].pages,
					c->share[i]->object.fd);
		pages += c->region[i].pages;
	}
	if (r)
		backing_destroy(&s->backing);
	return r;
}

/* What region @i is at first, its first frame being @frame: absent, and zero
 * or in a shared file; or, when paging is off, mapped for good. */
static struct pte first_entry(const struct stage2 *s, unsigned i,
			      uint64_t frame)
{
	if (s->config.share[i])
		return pte_away(PTE_ABSENT, PAGER_SHARE + i, PTE_R | PTE_X);
	return s->config.paging ? pte_away(PTE_ABSENT, PAGER_ZERO, PTE_RWX)
				: pte_leaf((frame_t){ frame }, PTE_RWX);
}

static int map_regions(struct stage2 *s)
{
	uint64_t frame = 0;
	int r = 0;

	for (unsigned i = 0; i < s->config.regions && !r; i++) {
		const struct stage2_region *reg = &s->config.region[i];

		r = ept_map(&s->ept, reg->first, reg->pages,
			    first_entry(s, i, frame));
		frame += reg->pages;
	}
	return r;
}

/* Pages that begin as bytes of the file belong to its pager. */
static int map_file(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;
	struct pte e = pte_away(PTE_ABSENT, PAGER_FILE, PTE_RWX);
	int r = 0;

	for (size_t i = 0; i < c->extents && !r; i++) {
		gfn_t first = gfn_of(c->extent[i].at);
		gfn_t last = gfn_of(
			(gpa_t){ c->extent[i].at.v + c->extent[i].bytes - 1 });

		if (c->extent[i].bytes)
			r = ept_map(&s->ept, first, last.v - first.v + 1, e);
	}
	return r;
}

int begin_table(struct stage2 *s)
{
	int r = ept_init(&s->ept);

	if (r)
		return r;
	r = map_regions(s);
	if (!r && s->config.paging)
		r = map_file(s);
	if (r)
		ept_destroy(&s->ept);
	return r;
}

int begin_pagers(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;

	for (unsigned i = 0; i < c->regions; i++)
		if (c->share[i])
			s->pager[PAGER_SHARE + i] = &c->share[i]->base;
	s->pager[PAGER_ZERO] = &pager_zero;
	return pager_file_create(&s->pager[PAGER_FILE], c->extent, c->extents);
}

int begin_load(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;
	struct pager *file = s->pager[PAGER_FILE];

	for (size_t i = 0; i < c->extents; i++) {
		gpa_t at = c->extent[i].at;
		uint64_t end = at.v + c->extent[i].bytes;

		for (gfn_t g = gfn_of(at); gpa_of(g).v < end; g.v++) {
			frame_t f;
			int r;

			if (!frame_of(s, g, &f))
				return -EFAULT;
			r = file->ops->fill(file, g, 0, page_alias(s, g));
			if (r)
				return r;
		}
	}
	return 0;
}
