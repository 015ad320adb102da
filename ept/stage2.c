/* SPDX-License-Identifier: MIT */
/* Making and unmaking stage 2. */
#include <errno.h>
#include <stdlib.h>

#include "ept/decide.h"

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
		return begin_load(s);
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
	begin_count(s);
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
	r = begin_backing(s);
	if (r)
		goto undo_arrays;
	r = begin_table(s);
	if (r)
		goto undo_backing;
	r = begin_pagers(s);
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
