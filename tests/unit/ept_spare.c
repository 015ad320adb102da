/* SPDX-License-Identifier: MIT */
/*
 * A tier that does not answer while pages are loaded ahead: who needs others is
 * served all the same, and who waits is seen to wait.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/state.h"
#include "tests/unit/ept_swap_fixture.h"
#include "tests/unit/may_watch.h"

#define RAM_PAGES 1024
#define STREAM	  28 /* pages that one reader reads, one after the other */
#define READERS	  8
#define STORED	  (READERS * STREAM)
#define UNMAPPED  600
#define FRESH	  800

static struct stage2 *s2;
static struct swap *swap;
static _Atomic uint64_t touching; /* its copy is the tier's @touching-th */
static _Atomic unsigned stalled; /* loads */
static _Atomic bool answers;
static sem_t answer;
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

/* What is touched comes alone; what comes ahead stalls. */
static void load(struct tier *t, struct tier_io *io, unsigned n)
{
	if (!answers && (n > 1 || io->where != touching)) {
		stalled++;
		while (sem_wait(&answer))
			;
	}
	pthread_mutex_lock(&fake_lock);
	fake_load(t, io, n);
	pthread_mutex_unlock(&fake_lock);
}

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	fail_msg("gfn %#llx: %d", (unsigned long long)f->gfn.v, f->error);
}

static void start(struct tier_ops *ops, unsigned vcpus)
{
	const struct file_extent none = { .bytes = 0 };
	struct fake *f = fake_new(256);
	struct stage2_config c = { .region = { { { 0 }, RAM_PAGES } },
				   .regions = 1,
				   .limit = RAM_PAGES,
				   .policy = &policy_clock,
				   .extent = &none,
				   .paging = true,
				   .vcpus = vcpus,
				   .failed = on_failure };

	*ops = fake_ops;
	ops->load = load;
	f->base.ops = ops;
	c.swap = swap = swap_over(&f->base, NULL, 0);
	assert_int_equal(sem_init(&answer, 0, 0), 0);
	stalled = 0;
	answers = false;
	assert_int_equal(stage2_create(&s2, &c), 0);
	pthread_mutex_lock(&s2->lock);
	observe_vcpu(&s2->observer);
	pthread_mutex_unlock(&s2->lock);
}

static void stop(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
	sem_destroy(&answer);
}

static volatile uint64_t *touchable(uint64_t page)
{
	return stage2_host(s2, (gfn_t){ page });
}

/* Not the same word all over: that would be stored nowhere. */
static void put(uint64_t page)
{
	touchable(page)[0] = page + 1;
	touchable(page)[1] = ~page;
}

/* By loads that do not stall, too? */
static bool anyone_serves(void)
{
	unsigned serving = 0;

	pthread_mutex_lock(&s2->lock);
	for (unsigned i = 0; i < s2->faults.servers; i++)
		serving += s2->faults.server[i].since != 0;
	for (unsigned i = 0; i < s2->faults.spares; i++)
		serving += s2->faults.spare[i].since != 0;
	pthread_mutex_unlock(&s2->lock);
	return serving > stalled;
}

/* Have pages [0, @n) stored, the i-th at i, when nobody maps ahead any more. */
static void put_away(uint64_t n)
{
	for (uint64_t page = 0; page < n; page++)
		put(page);
	while (anyone_serves())
		usleep(100);
	for (uint64_t page = 0; page < n; page++)
		assert_int_equal(stage2_evict(s2, (gfn_t){ page }), 0);
}

/* Read on until one more load ahead stalls; the page that was read last. */
static uint64_t read_until_stalled(uint64_t first)
{
	const unsigned before = stalled;

	for (uint64_t page = first; page < first + STREAM; page++) {
		touching = page;
		assert_int_equal(*touchable(page), page + 1);
		while (stalled == before && anyone_serves())
			usleep(100);
		if (stalled > before)
			return page;
	}
	fail_msg("nothing was loaded ahead");
	return 0;
}

/* In a thread that counts as a vCPU; it waits until the tier answers. */
static void *wait_for_page(void *page)
{
	pthread_mutex_lock(&s2->lock);
	observe_vcpu(&s2->observer);
	pthread_mutex_unlock(&s2->lock);
	assert_int_equal(*touchable((uintptr_t)page), (uintptr_t)page + 1);
	return NULL;
}

/* A reader a vCPU, and all servers are stuck for what is behind its page. */
static void others_are_served(unsigned vcpus)
{
	struct tier_ops ops;
	pthread_t waiter;
	uint64_t last = 0;

	start(&ops, vcpus);
	put_away(STORED + 1);
	put(UNMAPPED);
	while (anyone_serves())
		usleep(100);
	assert_int_equal(stage2_unmap(s2, (gfn_t){ UNMAPPED }), 0);
	for (unsigned i = 0; i < vcpus; i++)
		last = read_until_stalled(i * STREAM);

	assert_int_equal(*touchable(UNMAPPED), UNMAPPED + 1);
	assert_int_equal(*touchable(FRESH), 0);
	touching = STORED;
	assert_int_equal(*touchable(STORED), STORED + 1);
	assert_int_equal(stalled, vcpus);

	pthread_create(&waiter, NULL, wait_for_page, (void *)(last + 1));
	while (stage2_pressure(s2).some.total_us < 10000)
		usleep(1000);
	answers = true;
	for (unsigned i = 0; i < vcpus; i++)
		sem_post(&answer);
	pthread_join(waiter, NULL);
	for (uint64_t page = 0; page <= STORED; page++)
		assert_int_equal(*touchable(page), page + 1);
	stop();
}

static void one_vcpu(void **state)
{
	(void)state;
	others_are_served(1);
}

static void as_many_as_there_are_servers(void **state)
{
	(void)state;
	others_are_served(READERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_vcpu),
		cmocka_unit_test(as_many_as_there_are_servers),
	};

	if (!may_watch())
		return 0;
	alarm(60); /* who is never served waits for ever */
	return cmocka_run_group_tests_name("spare", tests, NULL, NULL);
}
