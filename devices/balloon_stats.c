/* SPDX-License-Identifier: MIT */
/* The guest's statistics (virtio 1.2, 5.5.6.3): its driver lends one buffer,
 * filled; it gets that back when somebody wants fresh ones. */
#include <time.h>

#include "devices/balloon_state.h"

const char *const balloon_tag_name[BALLOON_TAGS] = {
	"swap_in",	    "swap_out",	   "major_faults",
	"minor_faults",	    "free_memory", "total_memory",
	"available_memory", "disk_caches", "hugetlb_allocations",
	"hugetlb_failures", "oom_kill",	   "alloc_stall",
	"async_scan",	    "direct_scan", "async_reclaim",
	"direct_reclaim",
};

/* The lock is held. */
static void take_stat(struct balloon *b, const struct balloon_stat *s)
{
	if (s->tag >= BALLOON_TAGS)
		return;
	b->count.value[s->tag] = s->value;
	b->count.known |= 1u << s->tag;
}

bool balloon_take_stats(struct balloon *b, unsigned queue)
{
	struct balloon_stat stat[BALLOON_STATS_MAX];
	unsigned n = b->chain.read_bytes / sizeof(stat[0]);
	bool extra, read;

	if (n > BALLOON_STATS_MAX)
		n = BALLOON_STATS_MAX;
	read = chain_read(&b->v.queue[queue], &b->chain, 0, stat,
			  n * sizeof(stat[0]));
	pthread_mutex_lock(&b->lock);
	extra = b->holding;
	if (!extra) {
		b->holding = true;
		b->stats_queue = queue;
		b->stats_head = b->chain.head;
	}
	b->count.known = 0;
	for (unsigned i = 0; i < n && read; i++)
		take_stat(b, &stat[i]);
	b->count.updated_s = time(NULL);
	b->wanted = false;
	pthread_cond_broadcast(&b->told);
	pthread_mutex_unlock(&b->lock);
	return !extra || virtio_give(&b->v, queue, b->chain.head, 0);
}

bool balloon_ask_stats(struct balloon *b)
{
	bool give;

	pthread_mutex_lock(&b->lock);
	give = b->wanted && b->holding;
	b->holding = b->holding && !give;
	pthread_mutex_unlock(&b->lock);
	return !give || virtio_give(&b->v, b->stats_queue, b->stats_head, 0);
}

static struct timespec in_ms(unsigned ms)
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

void balloon_refresh(struct virtio *v, unsigned timeout_ms)
{
	struct balloon *b = balloon_of(v);
	struct timespec until = in_ms(timeout_ms);
	bool asked;
	int r = 0;

	pthread_mutex_lock(&b->lock);
	asked = b->wanted = b->holding;
	pthread_mutex_unlock(&b->lock);
	if (!asked)
		return;
	virtio_wake(v);
	pthread_mutex_lock(&b->lock);
	while (b->wanted && !r)
		r = pthread_cond_clockwait(&b->told, &b->lock, CLOCK_MONOTONIC,
					   &until);
	pthread_mutex_unlock(&b->lock);
}
