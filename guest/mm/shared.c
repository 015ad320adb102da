/* SPDX-License-Identifier: MIT */
#include "guest/mm/shared.h"

#include "guest/mm/slab.h"
#include "guest/mm/swap.h"

struct shared {
	struct mapping mapping; /* the first: they have one address */
	uint64_t pages, holders;
};

static void hold(struct mapping *m)
{
	((struct shared *)m)->holders++;
}

static void release(struct mapping *m)
{
	struct shared *s = (struct shared *)m;

	if (--s->holders)
		return;
	mapping_truncate(m, 0);
	frame_unpromise(s->pages);
	kfree(s);
}

static const struct mapping_ops ops = {
	.read = swap_load,
	.write = swap_store,
	.hold = hold,
	.release = release,
};

struct mapping *shared_new(uint64_t pages)
{
	struct shared *s;

	if (!frame_promise(pages))
		return NULL;
	s = kzalloc(sizeof(*s));
	if (!s) {
		frame_unpromise(pages);
		return NULL;
	}
	mapping_init(&s->mapping, &ops);
	s->pages = pages;
	s->holders = 1;
	return &s->mapping;
}
