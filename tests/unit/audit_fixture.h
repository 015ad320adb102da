/* SPDX-License-Identifier: MIT */
/* The auditor beside a stage 2 that is not KVM's. */
#ifndef TESTS_UNIT_AUDIT_FIXTURE_H
#define TESTS_UNIT_AUDIT_FIXTURE_H

#include <pthread.h>

#include "ept/audit.h"
#include "ept/state.h"
#include "tests/unit/stage2_fixture.h"

#define AUDITED 1200 /* pages: chunks of 512, the last one in part */

static inline int audit_setup(void **state)
{
	(void)state;
	start((struct options){ .pages = AUDITED });
	return 0;
}

static inline int audit_teardown(void **state)
{
	(void)state;
	assert_int_equal(failures, 0);
	stop();
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

static inline frame_t frame(uint64_t page)
{
	return (frame_t){ page };
}

static inline bool is_anyone_busy(void)
{
	for (uint64_t f = 0; f < AUDITED; f++)
		if (frame_set_has(&s2->busy, frame(f)))
			return true;
	return false;
}

/* The touch that came last wakes before its page is at rest. */
static inline void settle(void)
{
	pthread_mutex_lock(&s2->lock);
	while (is_anyone_busy())
		pthread_cond_wait(&s2->settled, &s2->lock);
	pthread_mutex_unlock(&s2->lock);
}

static inline struct audit_report audit(void)
{
	struct audit_report r;

	assert_int_equal(stage2_audit(s2, &r), 0);
	return r;
}

static inline void assert_sound(struct audit_report r)
{
	if (r.diverged)
		fail_msg("%s: gfn %#llx, kind %d: want %llu, got %llu",
			 audit_name[r.check], (unsigned long long)r.gfn.v,
			 r.kind, (unsigned long long)r.want,
			 (unsigned long long)r.got);
}

#endif
