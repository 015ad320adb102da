/* SPDX-License-Identifier: MIT */
/*
 * Each call first meets its fate, in which chance has its part: how long to
 * wait, and which pages fail. The rest goes on to the tier behind, in runs.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "ept/inject.h"

#define US_NS UINT64_C(1000)
#define MS_NS UINT64_C(1000000)

struct tier_inject {
	struct tier base;
	struct tier *inner;
	atomic_bool on; /* else nothing below counts */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct injection now;
	uint64_t turn; /* which injection this is */
	uint64_t end; /* of its lease; ns */
	uint64_t chance; /* the state of the random numbers */
	struct inject_counters count;
};

/* What happens to a call. */
struct fate {
	uint64_t failing; /* a bit a page */
	int error; /* theirs */
};

static_assert(TIER_BATCH <= 64, "a bit a page of a batch");

static struct tier_inject *inject_of(struct tier *t)
{
	return (struct tier_inject *)t;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 * MS_NS + (uint64_t)t.tv_nsec;
}

/* Wait until @until, or until something else is injected. False: that. */
static bool wait_until(struct tier_inject *t, uint64_t until)
{
	const struct timespec when = {
		.tv_sec = (time_t)(until / (1000 * MS_NS)),
		.tv_nsec = (long)(until % (1000 * MS_NS)),
	};
	uint64_t turn = t->turn;
	int r = 0;

	while (turn == t->turn && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&t->changed, &t->lock,
					   CLOCK_MONOTONIC, &when);
	return turn == t->turn;
}

static void delay(struct tier_inject *t)
{
	uint64_t us = injection_delay_us(&t->now, &t->chance);

	if (!us)
		return;
	t->count.delayed++;
	t->count.delayed_us += us;
	wait_until(t, now_ns() + us * US_NS);
}

/* False: it was over only because it took too long. */
static bool stall(struct tier_inject *t)
{
	uint64_t most = now_ns() + INJECT_STALL_US * US_NS;

	t->count.stalled += t->now.stall;
	while (t->now.stall && now_ns() < t->end) {
		bool too_long = most < t->end;

		if (wait_until(t, too_long ? most : t->end) && too_long)
			return false;
	}
	return true;
}

static uint64_t all_of(unsigned n)
{
	return UINT64_MAX >> (64 - n);
}

/* Under the lock, given up to wait. What was said last counts afterwards. */
static struct fate draw_fate(struct tier_inject *t, unsigned n, bool is_store)
{
	struct fate f = { .error = -EIO };

	delay(t);
	if (!stall(t)) {
		t->count.failed += n;
		return (struct fate){ all_of(n), -ETIMEDOUT };
	}
	if (is_store && t->now.full) {
		t->count.refused += n;
		return (struct fate){ all_of(n), -ENOSPC };
	}
	f.failing = injection_failing(&t->now, &t->chance, n);
	t->count.failed += (unsigned)__builtin_popcountll(f.failing);
	return f;
}

static void set(struct tier_inject *t, const struct injection *what)
{
	bool on = what->delay || what->error_rate > 0 || what->full ||
		  what->stall;

	if (what->seed != t->now.seed || !atomic_load(&t->on))
		t->chance = what->seed;
	t->now = *what;
	t->turn++;
	t->end =
		what->lease_ms ? now_ns() + what->lease_ms * MS_NS : UINT64_MAX;
	atomic_store(&t->on, on);
	pthread_cond_broadcast(&t->changed);
}

static void expire(struct tier_inject *t)
{
	static const struct injection nothing;

	if (atomic_load(&t->on) && now_ns() >= t->end)
		set(t, &nothing);
}

static struct fate meet(struct tier_inject *t, unsigned n, bool is_store)
{
	struct fate f = { 0 };

	if (!n || !atomic_load_explicit(&t->on, memory_order_relaxed))
		return f;
	pthread_mutex_lock(&t->lock);
	expire(t);
	if (atomic_load(&t->on))
		f = draw_fate(t, n, is_store);
	pthread_mutex_unlock(&t->lock);
	return f;
}

/* How many pages from the @i-th on go through together; 0: the @i-th fails. */
static unsigned run_from(const struct fate *f, unsigned i, unsigned n)
{
	uint64_t rest = f->failing >> i;

	if (!rest)
		return n - i;
	return (unsigned)__builtin_ctzll(rest);
}

static void store(struct tier *base, struct tier_io *io, unsigned n,
		  bool raw_ok)
{
	struct tier_inject *t = inject_of(base);
	struct fate f = meet(t, n, true);

	for (unsigned i = 0, run; i < n; i += run) {
		run = run_from(&f, i, n);
		if (run)
			t->inner->ops->store(t->inner, io + i, run, raw_ok);
		else
			io[i + run++].error = f.error;
	}
}

static void load(struct tier *base, struct tier_io *io, unsigned n)
{
	struct tier_inject *t = inject_of(base);
	struct fate f = meet(t, n, false);

	for (unsigned i = 0, run; i < n; i += run) {
		run = run_from(&f, i, n);
		if (run)
			t->inner->ops->load(t->inner, io + i, run);
		else
			io[i + run++].error = f.error;
	}
}

static void release(struct tier *base, uint64_t where)
{
	struct tier *inner = inject_of(base)->inner;

	inner->ops->release(inner, where);
}

static unsigned bytes(struct tier *base, uint64_t where)
{
	struct tier *inner = inject_of(base)->inner;

	return inner->ops->bytes(inner, where);
}

static void stats(struct tier *base, struct tier_stats *st)
{
	struct tier_inject *t = inject_of(base);

	t->inner->ops->stats(t->inner, st);
	pthread_mutex_lock(&t->lock);
	expire(t);
	if (t->now.full)
		st->room_bytes = 0;
	pthread_mutex_unlock(&t->lock);
}

static void destroy(struct tier *base)
{
	struct tier_inject *t = inject_of(base);

	t->inner->ops->destroy(t->inner);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static const struct tier_ops inject_ops = {
	.name = "inject",
	.store = store,
	.load = load,
	.release = release,
	.bytes = bytes,
	.stats = stats,
	.destroy = destroy,
};

int tier_inject_create(struct tier **out, struct tier *inner)
{
	struct tier_inject *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->base = (struct tier){ .ops = &inject_ops,
				 .name = tier_label(inner),
				 .codec = inner->codec };
	t->inner = inner;
	t->end = UINT64_MAX;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	*out = &t->base;
	return 0;
}

void tier_inject(struct tier *base, const struct injection *what)
{
	struct tier_inject *t = inject_of(base);

	assert(base->ops == &inject_ops && !injection_check(what));
	pthread_mutex_lock(&t->lock);
	set(t, what);
	pthread_mutex_unlock(&t->lock);
}

void tier_injected(struct tier *base, struct injection *now,
		   struct inject_counters *c)
{
	struct tier_inject *t = inject_of(base);

	assert(base->ops == &inject_ops);
	pthread_mutex_lock(&t->lock);
	expire(t);
	*now = t->now;
	*c = t->count;
	pthread_mutex_unlock(&t->lock);
}
