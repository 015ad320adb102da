/* SPDX-License-Identifier: MIT */
/*
 * The sampler: a thread that makes references visible. A page that is mapped
 * can be used without anybody seeing it; unmapped, its next use is a minor
 * fault. For a dense trace all of RAM is unmapped every so often.
 */
#include "ept/deadline.h"
#include "ept/evict.h"

/* Unmap what is mapped of the next frames from *@f on, as many as one flush
 * takes. False: that was the last of them. */
static bool unmap_some(struct stage2 *s, frame_t *f)
{
	bool more;

	pthread_mutex_lock(&s->lock);
	for (; f->v < s->backing.frames && s->stale.n < GATHER_MAX; f->v++)
		if (evict_movable(s, *f))
			evict_age(s, gfn_of_frame(s, *f));
	more = f->v < s->backing.frames && !s->stopping;
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	return more;
}

static void unmap_all(struct stage2 *s)
{
	frame_t f = { 0 };

	while (unmap_some(s, &f))
		;
}

static void *sampler_run(void *arg)
{
	struct stage2 *s = arg;

	pthread_setname_np(pthread_self(), "sampler");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct timespec until = deadline_in(s->config.refs_ms);

		while (!s->stopping &&
		       !pthread_cond_timedwait(&s->stop, &s->lock, &until))
			;
		pthread_mutex_unlock(&s->lock);
		unmap_all(s);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int sampler_start(struct stage2 *s)
{
	if (!s->config.refs_ms)
		return 0;
	return -pthread_create(&s->sampler, NULL, sampler_run, s);
}

void sampler_stop(struct stage2 *s)
{
	if (s->config.refs_ms)
		pthread_join(s->sampler, NULL);
}
