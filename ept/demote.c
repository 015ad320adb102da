/* SPDX-License-Identifier: MIT */
/*
 * The demoter: a thread that makes room in the faster tiers while reclaim has
 * nothing to do. A server may be away for a minute; only this thread waits for
 * it then, and pages go on leaving.
 */
#include "ept/state.h"

static void *demote_run(void *arg)
{
	struct stage2 *s = arg;

	pthread_setname_np(pthread_self(), "demote");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		if (!s->demoter.asked) {
			pthread_cond_wait(&s->demoter.wake, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		if (swap_demote(s->config.swap)) {
			pthread_mutex_lock(&s->lock);
			continue;
		}
		pthread_mutex_lock(&s->lock);
		s->demoter.asked = false;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void demote_ask(struct stage2 *s)
{
	s->demoter.asked = true;
	pthread_cond_signal(&s->demoter.wake);
}

int demote_start(struct stage2 *s)
{
	s->demoter.running = swap_tiers(s->config.swap) > 1;
	if (!s->demoter.running)
		return 0;
	return -pthread_create(&s->demoter.thread, NULL, demote_run, s);
}

void demote_stop(struct stage2 *s)
{
	if (s->demoter.running)
		pthread_join(s->demoter.thread, NULL);
}
