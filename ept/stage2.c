/* SPDX-License-Identifier: MIT */
/* Making and unmaking stage 2. */
#include <errno.h>
#include <stdlib.h>

#include "ept/decide.h"

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

/* Without paging the file is read at once. */
static int load_file(struct stage2 *s)
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

static int init_pagers(struct stage2 *s)
{
	const struct stage2_config *c = &s->config;

	for (unsigned i = 0; i < c->regions; i++)
		if (c->share[i])
			s->pager[PAGER_SHARE + i] = &c->share[i]->base;
	s->pager[PAGER_ZERO] = &pager_zero;
	return pager_file_create(&s->pager[PAGER_FILE], c->extent, c->extents);
}

static void destroy_pagers(struct stage2 *s)
{
	for (unsigned i = 0; i < PAGER_SHARE; i++)
		s->pager[i]->ops->destroy(s->pager[i]);
}

static void init_locks(struct stage2 *s)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->evicting, NULL);
	pthread_mutex_init(&s->flushing, NULL);
	pthread_cond_init(&s->settled, &monotonic);
	pthread_cond_init(&s->freed, &monotonic);
	pthread_cond_init(&s->work, &monotonic);
	pthread_cond_init(&s->calibrated, &monotonic);
	pthread_cond_init(&s->faults.watch, &monotonic);
	pthread_cond_init(&s->sampler.wake, &monotonic);
	pthread_cond_init(&s->demoter.wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void destroy_locks(struct stage2 *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->evicting);
	pthread_mutex_destroy(&s->flushing);
	pthread_cond_destroy(&s->settled);
	pthread_cond_destroy(&s->freed);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->calibrated);
	pthread_cond_destroy(&s->faults.watch);
	pthread_cond_destroy(&s->sampler.wake);
	pthread_cond_destroy(&s->demoter.wake);
}

static void stop(struct stage2 *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->work);
	pthread_cond_broadcast(&s->freed);
	pthread_cond_broadcast(&s->settled);
	pthread_cond_broadcast(&s->faults.watch);
	pthread_cond_broadcast(&s->sampler.wake);
	pthread_cond_broadcast(&s->demoter.wake);
	pthread_mutex_unlock(&s->lock);
}

/* The threads, last of all; with paging off there are none. */
static int start(struct stage2 *s)
{
	int r;

	if (!s->config.paging)
		return load_file(s);
	r = faults_start(s);
	if (r)
		return r;
	r = reclaim_start(s);
	if (r)
		goto undo_faults;
	r = demote_start(s);
	if (r)
		goto undo_reclaim;
	r = sampler_start(s);
	if (!r)
		return 0;
	stop(s);
	demote_stop(s);
undo_reclaim:
	stop(s);
	reclaim_stop(s);
undo_faults:
	stop(s);
	faults_stop(s);
	faults_destroy(s);
	return r;
}

static int init_table(struct stage2 *s)
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

static void on_stale(void *ctx, gfn_t first, uint64_t pages)
{
	struct stage2 *s = ctx;

	for (uint64_t i = 0; i < pages; i += s->frame_pages) {
		frame_t f;

		assert(s->stale.n < GATHER_MAX);
		if (frame_of(s, (gfn_t){ first.v + i }, &f))
			gather_add(&s->stale, f);
	}
}

static void count_pages(struct stage2 *s)
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

/* Memory for all frames: the memfd's, and over it that of shares. */
static int create_backing(struct stage2 *s)
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

/* What a page, or a frame, has beside its entry. */
static bool init_pages(struct stage2 *s)
{
	const uint64_t frames = s->pages / s->frame_pages;
	const uint64_t copies =
		s->config.paging ? swap_records(s->config.swap) : 0;

	return frame_set_init(&s->busy, frames) &&
	       frame_set_init(&s->watched, frames) &&
	       packed_init(&s->copy, s->pages, copies);
}

static void free_pages(struct stage2 *s)
{
	frame_set_free(&s->busy);
	frame_set_free(&s->watched);
	frame_set_free(&s->used);
	packed_free(&s->copy);
}

int stage2_create(struct stage2 **out, const struct stage2_config *c)
{
	struct stage2 *s = zeroed_new(sizeof(*s));
	uint64_t frames;
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->config = *c;
	s->trace = s->more = c->trace;
	s->seeing = s->deciding = c->trace;
	s->frame_pages = c->large_pages ? LEVEL_ENTRIES : 1;
	count_pages(s);
	s->limit = limit_of(s, c->limit);
	frames = s->pages / s->frame_pages;
	init_locks(s);
	s->policy = policy_create(c->policy, frames, frames);
	if (!init_pages(s) || !s->policy ||
	    !watch_init(&s->watch, frames / 16 + 2 * TIER_BATCH, frames))
		goto undo_arrays;
	r = observe_init(&s->observer, s->pages);
	if (r)
		goto undo_arrays;
	r = create_backing(s);
	if (r)
		goto undo_arrays;
	r = init_table(s);
	if (r)
		goto undo_backing;
	r = init_pagers(s);
	if (r)
		goto undo_table;
	s->ept.stale = on_stale;
	s->ept.ctx = s;
	decide_policy(s, s->policy);
	frames_share(s);
	r = start(s);
	if (r)
		goto undo_pagers;
	*out = s;
	return 0;

undo_pagers:
	destroy_pagers(s);
undo_table:
	s->ept.stale = NULL;
	ept_destroy(&s->ept);
undo_backing:
	backing_destroy(&s->backing);
undo_arrays:
	observe_destroy(&s->observer);
	policy_destroy(s->policy);
	watch_free(&s->watch);
	free_pages(s);
	destroy_locks(s);
	zeroed_free(s, sizeof(*s));
	return r;
}

void stage2_stop(struct stage2 *s)
{
	if (!s->config.paging)
		return;
	stop(s);
	sampler_stop(s);
	faults_stop(s);
	reclaim_stop(s);
	demote_stop(s);
}

/* Every slot goes back, so that a leak would show in swap_slots_used. */
static void release_copies(struct stage2 *s)
{
	for (uint64_t i = 0; i < s->pages; i++) {
		struct pte e = ept_lookup(&s->ept, gfn_of_page(s, i));
		slot_t copy;

		if (pte_kind(e) == PTE_STORED)
			swap_release(s->config.swap, pte_slot(e));
		if (copy_of(s, i, &copy))
			swap_release(s->config.swap, copy);
	}
}

void stage2_destroy(struct stage2 *s)
{
	if (s->config.paging) {
		faults_destroy(s);
		release_copies(s);
	}
	sampler_destroy(s);
	destroy_pagers(s);
	s->ept.stale = NULL;
	ept_destroy(&s->ept);
	backing_destroy(&s->backing);
	policy_destroy(s->policy);
	observe_destroy(&s->observer);
	watch_free(&s->watch);
	free_pages(s);
	destroy_locks(s);
	zeroed_free(s, sizeof(*s));
}

void *stage2_host(struct stage2 *s, gfn_t g)
{
	frame_t f;

	if (!frame_of(s, g, &f))
		return NULL;
	return backing_guest(&s->backing, f) +
	       (g.v - gfn_of_frame(s, f).v) * PAGE_SIZE;
}
