/* SPDX-License-Identifier: MIT */
/*
 * A rest for a tier whose medium fails. After a few batches in a row of which
 * no page could be stored, nothing is stored in it for a while: an eviction
 * storm would keep it busy with failing, and each place that failed is lost.
 * Then one page tries its luck. If it fails the next rest is twice as long, up
 * to a limit; if it does not, the tier is as good as before.
 *
 * Loads are not concerned. Any thread may call; @now is the monotonic time.
 */
#ifndef EPT_REST_H
#define EPT_REST_H

#include <pthread.h>
#include <stdint.h>

#define REST_AFTER  3 /* batches */
#define REST_MIN_MS 100
#define REST_MAX_MS 10000

struct rest {
	pthread_mutex_t lock; /* of what follows */
	unsigned failures; /* in a row */
	int error; /* of the last one */
	uint64_t until; /* it is at rest; ns */
};

void rest_init(struct rest *r);
void rest_destroy(struct rest *r);

/* How many of @n pages may be stored now; @error says why not the others. */
unsigned rest_allows(struct rest *r, unsigned n, uint64_t now, int *error);

enum rest_news { REST_NO_NEWS, REST_BEGAN, REST_ENDED };

/* A batch was stored, in part at least (@error 0), or none of it. */
enum rest_news rest_learn(struct rest *r, int error, uint64_t now);

/* Somebody says that the medium was mended: the next page may try. */
void rest_end(struct rest *r);

#endif
