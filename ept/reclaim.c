/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: a thread that keeps frames free between two marks, so that a fault
 * finds one. The policy says who goes; who goes is watched for a while, so
 * that a page in use can show it; evict.c says how the rest leaves.
 */
#include <errno.h>

#include "ept/audit.h"
#include "ept/decide.h"
#include "ept/deadline.h"
#include "ept/evict.h"

#define REST_MS 100
#define FULL_MS 1000

/* Batches in a row that freed nothing. */
struct drought {
	uint64_t batches;
	int error; /* the last of a store in them; 0: all frames are in use */
	struct timespec patience; /* a frame in use comes free before it ends */
};

/* A frame that the policy gave up cannot leave now. It was not used: the policy
 * must not take this for a rescue. */
static void put_back(struct stage2 *s, frame_t f)
{
	decide_remove(s, f);
	decide_insert(s, f);
}

/* The policy's next victim comes under watch. False: it has none, or no more
 * can be unmapped before a flush. */
static bool watch_one(struct stage2 *s)
{
	frame_t f;

	if (watch_full(&s->watch) || s->stale.n == GATHER_MAX ||
	    !decide_choose(s, &f))
		return false;
	if (!evict_movable(s, f)) {
		put_back(s, f);
		return true;
	}
	evict_age(s, f);
	frame_set_add(&s->watched, f);
	watch_push(&s->watch, f);
	return true;
}

/* Keep as many under watch as should be, and @want more. */
static void watch_some(struct stage2 *s, uint64_t want)
{
	uint64_t target = watch_target(s) + want;

	for (unsigned asks = 0; asks < GATHER_MAX && s->watch.n < target;
	     asks++)
		if (!watch_one(s))
			break;
}

/* Those that were watched longest, and not touched, leave with @b. Who cannot
 * leave now goes back to the policy: so does a page that was rescued, given up
 * again and is found at its old place, while the host has it mapped still. */
static void take_watched(struct stage2 *s, struct batch *b, unsigned want)
{
	struct gather *going = &b->going;

	going->n = 0;
	while (going->n < want && s->watch.n > s->stale.n) {
		frame_t f = watch_pop(&s->watch);

		if (!frame_set_has(&s->watched, f))
			continue;
		frame_set_remove(&s->watched, f);
		if (evict_movable(s, f))
			gather_add(going, f);
		else
			put_back(s, f);
	}
	gather_sort(going);
	for (unsigned i = 0; i < going->n; i++)
		if (evict_take(s, b, going->frame[i]))
			put_back(s, going->frame[i]);
}

/* What is under watch was flushed, or is among the last that came. */
static unsigned reclaim_batch(struct stage2 *s, struct batch *b, uint64_t want)
{
	unsigned left;

	b->used = true;
	b->n = 0;
	want = (want + s->frame_pages - 1) / s->frame_pages;
	if (want > evict_room(s))
		want = evict_room(s);
	pthread_mutex_lock(&s->lock);
	watch_some(s, want);
	if (s->watch.n < s->stale.n + want) {
		pthread_mutex_unlock(&s->lock);
		evict_flush(s);
		pthread_mutex_lock(&s->lock);
	}
	take_watched(s, b, (unsigned)want);
	pthread_mutex_unlock(&s->lock);
	left = evict_run(s, b);
	audit_round(s);
	return left;
}

/* Does somebody wait for a frame, or was the cap lowered below what is used? */
static bool needs_frames(const struct stage2 *s)
{
	return frames_free(s) == 0 && (s->waiting || frames_used(s) > s->limit);
}

/* Nothing can leave, and somebody needs it to: that is an event, not a hang. */
static void tell_full(struct stage2 *s, int error)
{
	struct stage2_failure f = { .what = FAILURE_FULL,
				    .error = error,
				    .source = "swap" };

	pthread_mutex_unlock(&s->lock);
	s->config.failed(s->config.ctx, &f);
	pthread_mutex_lock(&s->lock);
}

static int batch_error(const struct batch *b)
{
	int error = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (b->victim[i].error && b->victim[i].error != -EBUSY)
			error = b->victim[i].error;
	return error;
}

static void note_batch(const struct stage2 *s, struct drought *d,
		       const struct batch *b, unsigned left)
{
	int error = batch_error(b);

	if (left) {
		*d = (struct drought){ 0 };
		return;
	}
	if (!d->batches++ || !needs_frames(s))
		d->patience = deadline_in(FULL_MS);
	if (error)
		d->error = error;
}

/* Pages that arrive, or that a device works with, are in use for a moment:
 * under a small cap they may be all that there are. */
static bool is_full(const struct stage2 *s, const struct drought *d)
{
	return needs_frames(s) && (d->error || is_past(&d->patience));
}

/* No batch of a whole round freed anything: rest a while, then try again. */
static void rest(struct stage2 *s)
{
	struct timespec until = deadline_in(REST_MS);

	pthread_cond_timedwait(&s->work, &s->lock, &until);
}

/* Frames are free: have room made in the faster tiers, and wait for work. */
static void idle(struct stage2 *s)
{
	struct timespec until = deadline_in(REST_MS);

	demote_ask(s);
	if (!s->batch->used)
		pthread_cond_wait(&s->work, &s->lock);
	else if (pthread_cond_timedwait(&s->work, &s->lock, &until) ==
		 ETIMEDOUT)
		evict_batch_rest(s->batch);
}

static void *reclaim_run(void *arg)
{
	struct stage2 *s = arg;
	struct batch *b = s->batch;
	struct drought d = { 0 };

	pthread_setname_np(pthread_self(), "reclaim");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		uint64_t want = frames_wanted(s);
		unsigned left;

		if (!want) {
			idle(s);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		left = reclaim_batch(s, b, want);
		pthread_mutex_lock(&s->lock);
		note_batch(s, &d, b, left);
		s->told_full = s->told_full && !left;
		if (d.batches <= 4 + 2 * frames_used(s) / GATHER_MAX)
			continue;
		if (!s->told_full && is_full(s, &d)) {
			s->told_full = true;
			tell_full(s, d.error);
		}
		rest(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int reclaim_start(struct stage2 *s)
{
	int r;

	s->batch = evict_batch_new();
	if (!s->batch)
		return -ENOMEM;
	r = -pthread_create(&s->reclaim, NULL, reclaim_run, s);
	if (r)
		evict_batch_free(s->batch);
	return r;
}

void reclaim_stop(struct stage2 *s)
{
	pthread_join(s->reclaim, NULL);
	evict_batch_free(s->batch);
}
