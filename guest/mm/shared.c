/* SPDX-License-Identifier: MIT */
#include "guest/mm/shared.h"

#include "guest/lib/string.h"
#include "guest/mm/slab.h"
#include "guest/mm/swap.h"

struct shared {
	struct mapping mapping; /* the first: they have one address */
	uint64_t pages, holders;
};

static int read_page(struct mapping *m, struct frame *f)
{
	(void)m;
	if (f->slot)
		return swap_load(f);
	memset(direct(frame_pa(f)), 0, PAGE_SIZE);
	return 0;
}

static int write_page(struct mapping *m, struct frame *f)
{
	(void)m;
	return swap_store(f);
}

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
	mapping_end(m);
	frame_unpromise(s->pages);
	kfree(s);
}

static void forget(struct mapping *m, uint32_t slot)
{
	(void)m;
	swap_put(slot - 1);
}

static const struct mapping_ops ops = {
	.read = read_page,
	.write = write_page,
	.hold = hold,
	.release = release,
	.forget = forget,
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
