/* SPDX-License-Identifier: MIT */
#include "ept/rest.h"

#define MS_NS UINT64_C(1000000)

void rest_init(struct rest *r)
{
	*r = (struct rest){ 0 };
	pthread_mutex_init(&r->lock, NULL);
}

void rest_destroy(struct rest *r)
{
	pthread_mutex_destroy(&r->lock);
}

/* How long the next rest is: it failed often enough. */
static uint64_t length(const struct rest *r)
{
	uint64_t ms = REST_MIN_MS;

	for (unsigned i = REST_AFTER; i < r->failures && ms < REST_MAX_MS; i++)
		ms *= 2;
	return (ms < REST_MAX_MS ? ms : REST_MAX_MS) * MS_NS;
}

/* Who tries its luck has all of the next rest for it. */
unsigned rest_allows(struct rest *r, unsigned n, uint64_t now, int *error)
{
	pthread_mutex_lock(&r->lock);
	*error = r->error;
	if (r->failures >= REST_AFTER) {
		n = now >= r->until;
		if (n)
			r->until = now + length(r);
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

enum rest_news rest_learn(struct rest *r, int error, uint64_t now)
{
	enum rest_news news = REST_NO_NEWS;

	pthread_mutex_lock(&r->lock);
	if (!error) {
		news = r->failures >= REST_AFTER ? REST_ENDED : REST_NO_NEWS;
		r->failures = 0;
	} else {
		r->error = error;
		r->failures++;
		r->until = now + length(r);
		news = r->failures == REST_AFTER ? REST_BEGAN : REST_NO_NEWS;
	}
	pthread_mutex_unlock(&r->lock);
	return news;
}

void rest_end(struct rest *r)
{
	pthread_mutex_lock(&r->lock);
	r->until = 0;
	pthread_mutex_unlock(&r->lock);
}
