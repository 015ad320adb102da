/* SPDX-License-Identifier: MIT */
/*
 * The sampler: a thread that makes references visible. A page that is mapped
 * can be used without anybody seeing it; unmapped, its next use is a minor
 * fault. For a dense trace all of RAM is unmapped every so often. For the
 * shadow policies and the miss-ratio curve a sample of the frames is, in turn,
 * and so slowly that it costs next to nothing; but not before somebody asks
 * for them, because who counts faults exactly would see it.
 */
#include <errno.h>

#include "ept/deadline.h"
#include "ept/evict.h"

#define SAMPLED	  512 /* frames, or all where there are fewer */
#define PERIOD_MS 100
#define EACH	  16 /* frames unmapped a period */

/* One frame in 2^n is in the sample. */
static unsigned sampling(uint64_t frames)
{
	unsigned n = 0;

	while (frames >> n > SAMPLED)
		n++;
	return n;
}

/* They look at every frame there is: not before the guest's first page. */
static int make_ghosts(struct stage2 *s)
{
	uint64_t frames = s->backing.frames;
	struct shadow_config sc = { .frames = frames,
				    .sampling = sampling(frames),
				    .capacity = limit_of(s, s->config.limit),
				    .policies = policies };
	struct mrc_config mc = { frames, sampling(frames) };
	struct shadow *shadow;
	struct mrc *mrc;
	int r = shadow_create(&shadow, &sc);

	if (r)
		return r;
	r = mrc_create(&mrc, &mc);
	if (r) {
		shadow_destroy(shadow);
		return r;
	}
	pthread_mutex_lock(&s->lock);
	shadow_resize(shadow, s->limit);
	s->sampler.shadow = shadow;
	s->sampler.mrc = mrc;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* Unmap what is mapped and sampled, or all that is mapped, of the frames from
 * *@f on, up to @most of them. False: that was the last frame. */
static bool unmap_some(struct stage2 *s, frame_t *f, unsigned most, bool all)
{
	unsigned before;
	bool more;

	pthread_mutex_lock(&s->lock);
	for (before = s->stale.n; f->v < s->backing.frames; f->v++) {
		if (s->stale.n == GATHER_MAX || s->stale.n - before == most)
			break;
		if ((all || shadow_sampled(s->sampler.shadow, *f)) &&
		    evict_movable(s, *f))
			evict_age(s, *f);
	}
	more = f->v < s->backing.frames && !s->stopping;
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	return more;
}

static void unmap_all(struct stage2 *s)
{
	frame_t f = { 0 };

	while (unmap_some(s, &f, GATHER_MAX, true))
		;
}

static void unmap_next(struct stage2 *s)
{
	if (!unmap_some(s, &s->sampler.next, EACH, false))
		s->sampler.next.v = 0;
}

/* Sleep for a period, or until somebody is interested. False: the end. */
static bool next_period(struct stage2 *s)
{
	unsigned refs_ms = s->config.refs_ms;
	struct timespec until = deadline_in(refs_ms ? refs_ms : PERIOD_MS);
	bool more;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping && r != ETIMEDOUT)
		r = refs_ms || s->sampler.asked
			    ? pthread_cond_timedwait(&s->sampler.wake, &s->lock,
						     &until)
			    : pthread_cond_wait(&s->sampler.wake, &s->lock);
	more = !s->stopping;
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void *sampler_run(void *arg)
{
	struct stage2 *s = arg;

	pthread_setname_np(pthread_self(), "sampler");
	if (make_ghosts(s)) /* no memory: nothing to sample for */
		return NULL;
	while (next_period(s))
		if (s->config.refs_ms)
			unmap_all(s);
		else
			unmap_next(s);
	return NULL;
}

void sampler_reference(struct stage2 *s, frame_t f)
{
	if (!s->sampler.shadow)
		return;
	shadow_reference(s->sampler.shadow, f);
	mrc_reference(s->sampler.mrc, f);
}

void sampler_forget(struct stage2 *s, frame_t f)
{
	if (!s->sampler.shadow)
		return;
	shadow_forget(s->sampler.shadow, f);
	mrc_forget(s->sampler.mrc, f);
}

int sampler_start(struct stage2 *s)
{
	return -pthread_create(&s->sampler.thread, NULL, sampler_run, s);
}

void sampler_stop(struct stage2 *s)
{
	pthread_join(s->sampler.thread, NULL);
}

void sampler_destroy(struct stage2 *s)
{
	if (!s->sampler.shadow)
		return;
	shadow_destroy(s->sampler.shadow);
	mrc_destroy(s->sampler.mrc);
}

static void ask(struct stage2 *s)
{
	s->sampler.asked = true;
	pthread_cond_signal(&s->sampler.wake);
}

bool stage2_shadow(struct stage2 *s, struct shadow_report *r)
{
	bool there;

	pthread_mutex_lock(&s->lock);
	ask(s);
	there = s->sampler.shadow;
	if (there)
		shadow_report(s->sampler.shadow, r);
	pthread_mutex_unlock(&s->lock);
	return there;
}

bool stage2_mrc(struct stage2 *s, struct mrc_report *r)
{
	bool there;

	pthread_mutex_lock(&s->lock);
	ask(s);
	there = s->sampler.mrc;
	if (there)
		mrc_report(s->sampler.mrc, r);
	pthread_mutex_unlock(&s->lock);
	return there;
}
