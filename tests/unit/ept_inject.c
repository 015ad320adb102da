/* SPDX-License-Identifier: MIT */
/* Injection: what it does to a tier is what was asked for, and no byte of a
 * page that comes through is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <pthread.h>
#include <time.h>
#include <cmocka.h>

#include "ept/inject.h"
#include "tests/unit/ept_swap_fixture.h"

#define DRAWS 100000

static const struct injection nothing;

static struct tier *before(struct fake *f)
{
	struct tier *t;

	assert_int_equal(tier_inject_create(&t, &f->base), 0);
	return t;
}

static struct inject_counters counted(struct tier *t)
{
	struct injection now;
	struct inject_counters c;

	tier_injected(t, &now, &c);
	return c;
}

/* @n pages of a set, as a tier is given them. */
static void pages_of(const struct set *p, struct tier_io *io, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		io[i] = (struct tier_io){ .page = p->out + i * PAGE_SIZE,
					  .error = 1 };
}

/* Store, load and forget them; what was loaded is what was stored. The pages
 * that failed in either, a bit each. */
static uint64_t round_trip(struct tier *t, const struct set *p, unsigned n)
{
	struct tier_io out[TIER_BATCH], in[TIER_BATCH];
	uint64_t failed = 0;

	pages_of(p, out, n);
	t->ops->store(t, out, n, true);
	for (unsigned i = 0; i < n; i++) {
		if (out[i].error) {
			failed |= UINT64_C(1) << i;
			continue;
		}
		in[i] = (struct tier_io){ .page = p->in + i * PAGE_SIZE,
					  .where = out[i].where };
		memset(in[i].page, 0, PAGE_SIZE);
		t->ops->load(t, &in[i], 1);
		if (in[i].error)
			failed |= UINT64_C(1) << i;
		else
			assert_memory_equal(in[i].page, out[i].page, PAGE_SIZE);
		t->ops->release(t, out[i].where);
	}
	return failed;
}

static void end(struct tier *t, struct set *p)
{
	t->ops->destroy(t); /* asserts that nothing is held */
	set_free(p);
}

static void nothing_injected_changes_nothing(void **state)
{
	struct fake *f = fake_new(64);
	struct tier *t = before(f);
	struct set p = set_new(PAGES);
	struct inject_counters none = { 0 };
	struct inject_counters c;

	(void)state;
	assert_string_equal(tier_label(t), "fake");
	assert_int_equal(round_trip(t, &p, PAGES), 0);
	c = counted(t);
	assert_memory_equal(&c, &none, sizeof(c));
	assert_int_equal(f->stores, PAGES);
	end(t, &p);
}

/* The mean of many delays, in us. */
static double mean_of(struct injection i)
{
	uint64_t chance = 1;
	double sum = 0;

	for (unsigned k = 0; k < DRAWS; k++)
		sum += (double)injection_delay_us(&i, &chance);
	return sum / DRAWS;
}

/* Of fixed seeds, so these are fixed numbers, too. */
static void delays_are_distributed_as_they_say(void **state)
{
	(void)state;
	assert_true(mean_of(nothing) == 0);
	assert_true(mean_of((struct injection){ .delay = INJECT_FIXED,
						.delay_us = 700 }) == 700);
	assert_true(
		fabs(mean_of((struct injection){ .delay = INJECT_EXPONENTIAL,
						 .delay_us = 1000 }) -
		     1000) < 20);
	/* A mean of shape / (shape - 1) times the least. */
	assert_true(fabs(mean_of((struct injection){ .delay = INJECT_PARETO,
						     .delay_us = 1000,
						     .shape = 3 }) -
			 1500) < 30);
	assert_true(fabs(mean_of((struct injection){ .delay = INJECT_BIMODAL,
						     .delay_us = 100,
						     .slow_us = 10100,
						     .slow_share = 0.05 }) -
			 600) < 30);
}

/* The tail of pareto's has no end, but waits do. */
static void no_delay_is_endless(void **state)
{
	struct injection i = { .delay = INJECT_PARETO,
			       .delay_us = 1000000,
			       .shape = 0.1 };
	uint64_t chance = 1, most = 0;

	(void)state;
	for (unsigned k = 0; k < DRAWS; k++) {
		uint64_t us = injection_delay_us(&i, &chance);

		assert_true(us >= 1000000);
		most = us > most ? us : most;
	}
	assert_int_equal(most, INJECT_MOST_US);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	static const struct injection bad[] = {
		{ .delay_us = -1 },
		{ .delay_us = INJECT_MOST_US + 1.0 },
		{ .delay_us = NAN },
		{ .slow_us = INFINITY },
		{ .slow_share = 1.01 },
		{ .error_rate = -0.01 },
		{ .error_rate = NAN },
		{ .delay = INJECT_PARETO, .shape = 0 },
		{ .delay = INJECT_PARETO, .shape = NAN },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(injection_check(&bad[i]));
	assert_null(injection_check(&nothing));
}

/* The same seed, the same fate; and the rest of a batch is not touched. */
static void errors_come_at_their_rate(void **state)
{
	const struct injection half = { .error_rate = 0.25, .seed = 7 };
	uint64_t fate[2][8];
	unsigned failed = 0;

	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		struct fake *f = fake_new(64);
		struct tier *t = before(f);
		struct set p = set_new(TIER_BATCH);

		tier_inject(t, &half);
		for (unsigned k = 0; k < 8; k++)
			fate[run][k] = round_trip(t, &p, TIER_BATCH);
		failed = (unsigned)counted(t).failed;
		end(t, &p);
	}
	assert_memory_equal(fate[0], fate[1], sizeof(fate[0]));
	/* 512 stores, and about 384 loads: a quarter of both. */
	assert_true(failed > 180 && failed < 270);
}

static void a_full_tier_takes_nothing_and_gives_all(void **state)
{
	const struct injection full = { .full = true };
	struct fake *f = fake_new(64);
	struct tier *t = before(f);
	struct set p = set_new(2);
	struct tier_io io[2];
	struct tier_stats st;

	(void)state;
	pages_of(&p, io, 2);
	t->ops->store(t, io, 1, true);
	tier_inject(t, &full);
	t->ops->store(t, io + 1, 1, true);
	assert_int_equal(io[1].error, -ENOSPC);
	assert_int_equal(f->stores, 1);
	assert_int_equal(counted(t).refused, 1);
	t->ops->stats(t, &st);
	assert_int_equal(st.room_bytes, 0);
	assert_int_equal(st.pages, 1);
	io[0].page = p.in;
	t->ops->load(t, io, 1);
	assert_int_equal(io[0].error, 0);
	assert_memory_equal(p.in, p.out, PAGE_SIZE);
	tier_inject(t, &nothing);
	t->ops->store(t, io + 1, 1, true);
	assert_int_equal(io[1].error, 0);
	t->ops->release(t, io[0].where);
	t->ops->release(t, io[1].where);
	end(t, &p);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void a_delay_takes_its_time(void **state)
{
	const struct injection slow = { .delay = INJECT_FIXED,
					.delay_us = 20000 };
	struct tier *t = before(fake_new(64));
	struct set p = set_new(1);
	uint64_t began;

	(void)state;
	tier_inject(t, &slow);
	began = now_us();
	assert_int_equal(round_trip(t, &p, 1), 0);
	assert_true(now_us() - began >= 40000);
	assert_int_equal(counted(t).delayed, 2);
	assert_int_equal(counted(t).delayed_us, 40000);
	end(t, &p);
}

/* A lease ends what nobody lifts, also a stall that is under way. */
static void a_lease_ends_everything(void **state)
{
	const struct injection dead = {
		.stall = true, .error_rate = 1, .full = true, .lease_ms = 50
	};
	struct tier *t = before(fake_new(64));
	struct set p = set_new(PAGES);
	struct injection now;
	struct inject_counters c;

	(void)state;
	tier_inject(t, &dead);
	round_trip(t, &p, 1);
	while (tier_injected(t, &now, &c), now.stall)
		continue;
	assert_memory_equal(&now, &nothing, sizeof(now));
	assert_int_equal(c.stalled, 1);
	assert_int_equal(round_trip(t, &p, PAGES), 0);
	end(t, &p);
}

struct visitor {
	struct tier *t;
	struct set p;
	uint64_t failed;
};

static void *visit(void *arg)
{
	struct visitor *v = arg;

	v->failed = round_trip(v->t, &v->p, 1);
	return NULL;
}

/* Who waits stays, through another stall, until there is none. */
static void a_stall_ends_when_it_is_lifted(void **state)
{
	const struct injection stall = { .stall = true };
	struct visitor v = { before(fake_new(64)), set_new(1), 1 };
	pthread_t thread;

	(void)state;
	tier_inject(v.t, &stall);
	assert_int_equal(pthread_create(&thread, NULL, visit, &v), 0);
	while (!counted(v.t).stalled)
		continue;
	tier_inject(v.t, &stall);
	assert_int_equal(pthread_tryjoin_np(thread, NULL), EBUSY);
	tier_inject(v.t, &nothing);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(v.failed, 0);
	assert_int_equal(counted(v.t).stalled, 1);
	end(v.t, &v.p);
}

/* Through all of swap: each page is right, or was never stored. */
static void swap_over_a_failing_tier_loses_nothing(void **state)
{
	const struct injection flaky = { .error_rate = 0.2, .seed = 3 };

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		struct fake *f = fake_new(64);
		struct tier *t = before(f);
		struct swap *s = swap_over(t, NULL, 0);
		struct set p = set_new(PAGES);
		uint64_t stored = 0;

		tier_inject(t, &flaky);
		swap_store(s, p.io, PAGES);
		tier_inject(t, &nothing);
		for (unsigned i = 0; i < PAGES; i++) {
			if (!p.io[i].error)
				stored |= UINT64_C(1) << i;
			else
				p.io[i].slot.v = UINT64_MAX;
		}
		assert_int_equal(f->held, __builtin_popcountll(stored));
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), __builtin_popcountll(stored));
		finish(s, &p, stored);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_injected_changes_nothing),
		cmocka_unit_test(delays_are_distributed_as_they_say),
		cmocka_unit_test(no_delay_is_endless),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(errors_come_at_their_rate),
		cmocka_unit_test(a_full_tier_takes_nothing_and_gives_all),
		cmocka_unit_test(a_delay_takes_its_time),
		cmocka_unit_test(a_lease_ends_everything),
		cmocka_unit_test(a_stall_ends_when_it_is_lifted),
		cmocka_unit_test(swap_over_a_failing_tier_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
