/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "ept/wakeful.h"

#define ANY_LATENCY INT32_MAX

/* Can the device be opened, it takes any value: there is nothing to check. */
static void ask(struct wakeful *w, int32_t microseconds)
{
	if (w->fd >= 0 &&
	    write(w->fd, &microseconds, sizeof(microseconds)) < 0) {
		close(w->fd);
		w->fd = -1;
	}
}

bool wakeful_open(struct wakeful *w)
{
	*w = (struct wakeful){
		.fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC),
	};
	pthread_mutex_init(&w->lock, NULL);
	ask(w, ANY_LATENCY);
	return w->fd >= 0;
}

void wakeful_close(struct wakeful *w)
{
	if (w->fd >= 0)
		close(w->fd);
	pthread_mutex_destroy(&w->lock);
}

void wakeful_hold(struct wakeful *w)
{
	pthread_mutex_lock(&w->lock);
	if (w->holders++ == 0)
		ask(w, 0);
	pthread_mutex_unlock(&w->lock);
}

void wakeful_release(struct wakeful *w)
{
	pthread_mutex_lock(&w->lock);
	assert(w->holders);
	if (--w->holders == 0)
		ask(w, ANY_LATENCY);
	pthread_mutex_unlock(&w->lock);
}
