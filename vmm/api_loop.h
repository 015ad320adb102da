/* SPDX-License-Identifier: MIT */
/*
 * The thread of the control API: rounds of waiting for whoever has something
 * to say, and serving them in turn. What a client can cost is bounded: its
 * memory by struct peer; its time by the idle limit; its place by eviction of
 * those that do nothing, and where there are no descriptors left of those that
 * have been slow for longest; the others' time by one answer a round.
 */
#ifndef VMM_API_LOOP_H
#define VMM_API_LOOP_H

#include "vmm/api.h"
#include "vmm/api_crowd.h"

struct api_loop {
	struct api_desk desk;
	int64_t idle_ms;
	int stop; /* an eventfd: once it is readable, the thread ends */
	int listener; /* non-blocking; -1: none, but the one client of */
	struct peer *device; /* a character device, who stays for good */
	struct crowd crowd;
	/* The thread's. */
	bool listens; /* polls for newcomers */
	int64_t quiet_until; /* leave the listener or the device alone */
	int64_t heard; /* when the desk was last asked for news */
};

/* The first four are set, and the device where there is no listener. 0 or
 * -errno. */
int api_loop_init(struct api_loop *l);
/* Until @l->stop is readable. For pthread_create: @loop is a struct api_loop.
 */
void *api_loop_run(void *loop);
/* All clients go. */
void api_loop_end(struct api_loop *l);

#endif
