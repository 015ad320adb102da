/* SPDX-License-Identifier: MIT */
#ifndef EPT_DEADLINE_H
#define EPT_DEADLINE_H

#include <stdbool.h>
#include <time.h>

/* The monotonic time @ms milliseconds from now. */
static inline struct timespec deadline_in(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static inline bool is_past(const struct timespec *t)
{
	struct timespec now = deadline_in(0);

	return now.tv_sec > t->tv_sec ||
	       (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

#endif
