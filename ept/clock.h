/* SPDX-License-Identifier: MIT */
#ifndef EPT_CLOCK_H
#define EPT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The monotonic time, nanoseconds. */
static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

#endif
