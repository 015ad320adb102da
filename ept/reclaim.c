/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: a thread that keeps frames free between two marks, so that a fault
 * finds one. The policy says who leaves; evict.c says how.
 */
#include <errno.h>

#include "ept/deadline.h"
#include "ept/evict.h"

/* Ask the policy for up to @want victims. The asks are bounded: what cannot
 * move now goes back to the policy. */
static void choose_victims(struct stage2 *s, struct batch *b, unsigned want)
{
	const struct policy_ops *policy = s->policy->ops;

	for (unsigned asks = 0; asks < GATHER_MAX && b->n < want; asks++) {
		frame_t f;

		if (!policy->choose(s->policy, NULL, &f))
			break;
		if (evict_movable(s, f))
			evict_take(s, b, gfn_of_frame(s, f));
		else
			policy->insert(s->policy, f);
	}
}

static unsigned reclaim_batch(struct stage2 *s, struct batch *b, uint64_t want)
{
	unsigned left;

	b->n = 0;
	pthread_mutex_lock(&s->evicting);
	pthread_mutex_lock(&s->lock);
	choose_victims(s, b, want < TIER_BATCH ? (unsigned)want : TIER_BATCH);
	pthread_mutex_unlock(&s->lock);
	left = evict_run(s, b);
	pthread_mutex_unlock(&s->evicting);
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

/* No batch of a whole round freed anything: rest a while, then try again. */
static void rest(struct stage2 *s)
{
	struct timespec until = deadline_in(100);

	pthread_cond_timedwait(&s->work, &s->lock, &until);
}

static void *reclaim_run(void *arg)
{
	struct stage2 *s = arg;
	uint64_t barren = 0; /* batches in a row that freed nothing */
	struct batch b;
	int error = 0;

	pthread_setname_np(pthread_self(), "reclaim");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		uint64_t want = frames_wanted(s);
		unsigned left;

		if (!want) {
			pthread_cond_wait(&s->work, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		left = reclaim_batch(s, &b, want);
		pthread_mutex_lock(&s->lock);
		barren = left ? 0 : barren + 1;
		s->told_full = s->told_full && !left;
		error = batch_error(&b) ? batch_error(&b) : error;
		if (barren <= 4 + 2 * frames_used(s) / GATHER_MAX)
			continue;
		if (!s->told_full && needs_frames(s)) {
			s->told_full = true;
			tell_full(s, error);
		}
		rest(s);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int reclaim_start(struct stage2 *s)
{
	return -pthread_create(&s->reclaim, NULL, reclaim_run, s);
}

void reclaim_stop(struct stage2 *s)
{
	pthread_join(s->reclaim, NULL);
}
