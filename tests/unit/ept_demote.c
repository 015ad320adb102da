/* SPDX-License-Identifier: MIT */
/* While the slower tier does not answer, pages go on leaving. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/ept_swap_fixture.h"

#include "ept/stage2.h"
#include "tests/unit/may_watch.h"

#define RAM    1024 /* pages */
#define CAP    256
#define STORED 32 /* of 34: the first tier is nearly full */

static _Atomic bool stalled, answer;

static void stall(void *ctx)
{
	(void)ctx;
	stalled = true;
	while (!answer)
		usleep(1000);
}

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	fail_msg("gfn %#llx: %d", (unsigned long long)f->gfn.v, f->error);
}

static volatile uint64_t *touchable(struct stage2 *s, uint64_t page)
{
	return stage2_host(s, (gfn_t){ page });
}

static _Atomic bool done;

static void *touch_all(void *s)
{
	for (uint64_t i = STORED; i < RAM; i++)
		(void)*touchable(s, i);
	done = true;
	return NULL;
}

/* Is @flag set within 20 s? */
static bool comes_true(_Atomic bool *flag)
{
	for (unsigned i = 0; i < 2000 && !*flag; i++)
		usleep(10000);
	return *flag;
}

static void reclaim_goes_on(void **state)
{
	const struct file_extent none = { .bytes = 0 };
	struct fake *first = fake_new(34), *second = fake_new(256);
	struct swap *swap = swap_over(&first->base, &second->base, 0);
	struct stage2_config c = {
		.region = { { { 0 }, RAM } },
		.regions = 1,
		.limit = CAP,
		.policy = &policy_clock,
		.swap = swap,
		.extent = &none,
		.paging = true,
		.vcpus = 1,
		.failed = on_failure,
	};
	struct set nothing = set_new(1);
	pthread_t toucher;
	struct stage2 *s;
	bool went_on;

	(void)state;
	second->on_store = stall;
	assert_int_equal(stage2_create(&s, &c), 0);
	for (uint64_t i = 0; i < STORED; i++) {
		touchable(s, i)[1] = i + 1;
		assert_int_equal(stage2_evict(s, (gfn_t){ i }), 0);
	}
	stage2_set_limit(s, CAP); /* reclaim looks whether there is work */
	assert_true(comes_true(&stalled));
	pthread_create(&toucher, NULL, touch_all, s);
	went_on = comes_true(&done);
	answer = true;
	pthread_join(toucher, NULL);
	assert_true(went_on);
	for (uint64_t i = 0; i < STORED; i++)
		assert_int_equal(touchable(s, i)[1], i + 1);
	stage2_stop(s);
	stage2_destroy(s);
	finish(swap, &nothing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reclaim_goes_on),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("demote", tests, NULL, NULL);
}
