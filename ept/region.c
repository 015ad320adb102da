/* SPDX-License-Identifier: MIT */
/* Guest memory's regions, and the frames that they have: numbered through, one
 * region's behind the other's. */
#include "ept/state.h"

bool frame_of(const struct stage2 *s, gfn_t g, frame_t *f)
{
	uint64_t before = 0;

	for (unsigned i = 0; i < s->config.regions; i++) {
		const struct stage2_region *r = &s->config.region[i];

		if (g.v >= r->first.v && g.v - r->first.v < r->pages) {
			f->v = (before + (g.v - r->first.v)) / s->frame_pages;
			return true;
		}
		before += r->pages;
	}
	return false;
}

unsigned region_of(const struct stage2 *s, frame_t f)
{
	uint64_t page = f.v * s->frame_pages;
	unsigned i = 0;

	for (; page >= s->config.region[i].pages; i++)
		page -= s->config.region[i].pages;
	return i;
}

struct share *share_of(const struct stage2 *s, frame_t f)
{
	return s->config.share[region_of(s, f)];
}

uint64_t limit_of(const struct stage2 *s, uint64_t pages)
{
	return pages >= s->ram ? s->pages : pages - pages % s->frame_pages;
}

gfn_t gfn_of_page(const struct stage2 *s, uint64_t page)
{
	const struct stage2_region *r = s->config.region;

	for (; page >= r->pages; r++)
		page -= r->pages;
	return (gfn_t){ r->first.v + page };
}

gfn_t gfn_of_frame(const struct stage2 *s, frame_t f)
{
	return gfn_of_page(s, f.v * s->frame_pages);
}
