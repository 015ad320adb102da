/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ept/placement.h"
#include "ept/trace.h"
#include "ept/uffd.h"

#define TRIALS 16 /* faults a placement */

const char *const placement_name[PLACEMENTS] = {
	[PLACE_SAME_CPU] = "same_cpu",
	[PLACE_SPIN] = "spin",
	[PLACE_BLOCKED] = "blocked",
	[PLACE_AWAKE] = "awake",
};

/* One measurement: a thread touches pages of its own, we serve it. */
struct trial {
	uint8_t *pages;
	int cpu; /* where the toucher runs */
	uint64_t ticks[TRIALS]; /* each fault */
};

void placement_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *touch(void *arg)
{
	struct trial *t = arg;

	placement_pin(t->cpu);
	for (unsigned i = 0; i < TRIALS; i++) {
		uint64_t start = trace_now();

		*(volatile uint8_t *)(t->pages + i * PAGE_SIZE) = 1;
		t->ticks[i] = trace_now() - start;
	}
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The faster quarter's last: what a fault takes when nobody else wants the
 * CPU. The mean would be that of our neighbours. */
static uint64_t typical(struct trial *t)
{
	qsort(t->ticks, TRIALS, sizeof(t->ticks[0]), by_size);
	return t->ticks[TRIALS / 4];
}

static int serve(int uffd, bool spin)
{
	for (unsigned served = 0; served < TRIALS;) {
		struct pollfd p = { .fd = uffd, .events = POLLIN };
		struct uffdio_zeropage zero = { .range.len = PAGE_SIZE };
		struct uffd_msg m;

		if (read(uffd, &m, sizeof(m)) != sizeof(m)) {
			if (errno != EAGAIN && errno != EINTR)
				return -errno;
			if (!spin)
				poll(&p, 1, -1);
			continue;
		}
		zero.range.start = m.arg.pagefault.address & ~PAGE_MASK;
		if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero) && errno != EEXIST)
			return -errno;
		served++;
	}
	return 0;
}

static int measure(int uffd, struct trial *t, bool spin)
{
	pthread_t thread;
	int r = -pthread_create(&thread, NULL, touch, t);

	if (r)
		return r;
	r = serve(uffd, spin);
	if (r) /* or the thread would wait for ever */
		uffd_unwatch(uffd, t->pages, TRIALS * PAGE_SIZE);
	pthread_join(thread, NULL);
	return r;
}

static bool possible(int place, int other, bool may_share,
		     const struct wakeful *w)
{
	if (place == PLACE_SAME_CPU)
		return may_share;
	return other >= 0 && (place != PLACE_AWAKE || w->fd >= 0);
}

/* Try every placement that this thread's CPUs @allowed permit. */
static int try_all(struct placement_report *r, int uffd, uint8_t *pages,
		   const cpu_set_t *allowed, bool may_share, struct wakeful *w)
{
	int here = sched_getcpu(), other = -1;
	int error = 0;

	for (int c = 0; c < CPU_SETSIZE && other < 0; c++)
		if (c != here && CPU_ISSET(c, allowed))
			other = c;
	r->cpu = here;
	placement_pin(here);
	for (int p = 0; p < PLACEMENTS && !error; p++) {
		struct trial t = { .pages = pages + p * TRIALS * PAGE_SIZE,
				   .cpu = p == PLACE_SAME_CPU ? here : other };

		if (!possible(p, other, may_share, w))
			continue;
		if (p == PLACE_AWAKE)
			wakeful_hold(w);
		error = measure(uffd, &t, p == PLACE_SPIN);
		if (p == PLACE_AWAKE)
			wakeful_release(w);
		r->ticks[p] = error ? 0 : typical(&t);
	}
	return error;
}

/*
 * What a fault costs there, in effect. A handler that polls takes a CPU from
 * others, so it must win by half. One on the vCPU's CPU has KVM leave the guest
 * all the way, which these threads do not see: where both took 11 us here, a
 * guest's fault took 39 us, and 34 awake.
 */
static uint64_t cost(const uint64_t ticks[PLACEMENTS], int p)
{
	if (p == PLACE_SPIN)
		return ticks[p] + ticks[p] / 2;
	if (p == PLACE_SAME_CPU)
		return ticks[p] + ticks[p] / 4;
	return ticks[p];
}

enum placement placement_choose(const uint64_t ticks[PLACEMENTS])
{
	enum placement best = PLACE_BLOCKED;

	for (int p = 0; p < PLACEMENTS; p++)
		if (ticks[p] &&
		    (!ticks[best] || cost(ticks, p) < cost(ticks, best)))
			best = p;
	return best;
}

int placement_calibrate(struct placement_report *r, bool may_share,
			struct wakeful *w)
{
	const uint64_t bytes = PLACEMENTS * TRIALS * PAGE_SIZE;
	cpu_set_t allowed;
	uint8_t *pages;
	int uffd, error;

	*r = (struct placement_report){ .choice = PLACE_BLOCKED };
	uffd = uffd_open();
	if (uffd < 0)
		return uffd;
	pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		close(uffd);
		return -ENOMEM;
	}
	sched_getaffinity(0, sizeof(allowed), &allowed);
	error = uffd_watch(uffd, pages, bytes, UFFDIO_REGISTER_MODE_MISSING);
	if (!error)
		error = try_all(r, uffd, pages, &allowed, may_share, w);
	if (!error)
		r->choice = placement_choose(r->ticks);
	if (r->choice != PLACE_SAME_CPU)
		pthread_setaffinity_np(pthread_self(), sizeof(allowed),
				       &allowed);
	munmap(pages, bytes);
	close(uffd);
	return error;
}
