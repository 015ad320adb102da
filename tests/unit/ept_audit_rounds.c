/* SPDX-License-Identifier: MIT */
/* A stage 2 that audits itself at every so many rounds of work. */
#include "tests/unit/audit_fixture.h"
#include "tests/unit/ept_pages.h"

#define EVERY  4
#define VICTIM (AUDITED - 1)
#define OTHERS (AUDITED - 64) /* no window reaches the victim */

static atomic_uint audits, divergences;
static _Atomic(enum audit_check) diverged;

static void on_audited(void *ctx, const struct audit_report *r)
{
	(void)ctx;
	if (r->diverged) {
		diverged = r->check;
		atomic_fetch_add(&divergences, 1);
	}
	atomic_fetch_add(&audits, 1);
}

static int setup(void **state)
{
	(void)state;
	audits = divergences = 0;
	start((struct options){ .pages = AUDITED,
				.limit = AUDITED / 4,
				.audit_every = EVERY,
				.audited = on_audited });
	return 0;
}

/* Touch pages at random, of which one in four is there, until @n audits more
 * are over; what is not there takes a round, or some. How many it took. */
static unsigned touch_until_audits(unsigned n)
{
	const unsigned want = audits + n;
	unsigned touches = 0;
	uint64_t seed = 1;

	while (audits < want) {
		*touchable(random_next(&seed) % OTHERS) += 1;
		touches++;
	}
	return touches;
}

static void some_rounds_make_an_audit(void **state)
{
	(void)state;
	assert_in_range(touch_until_audits(20), 20 * EVERY / 8, 20 * EVERY * 2);
	assert_int_equal(divergences, 0);
}

static void the_next_audit_tells(void **state)
{
	(void)state;
	touch_until_audits(1);
	assert_int_equal(stage2_evict(s2, gfn(VICTIM)), 0);
	settle();
	*(uint8_t *)backing_alias(&s2->backing, frame(VICTIM)) = 1;
	touch_until_audits(2);
	assert_true(divergences > 0);
	assert_int_equal(diverged, AUDIT_MEMFD);
	backing_punch(&s2->backing, frame(VICTIM), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(some_rounds_make_an_audit,
						setup, audit_teardown),
		cmocka_unit_test_setup_teardown(the_next_audit_tells, setup,
						audit_teardown),
	};

	return may_watch() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
