/* SPDX-License-Identifier: MIT */
/* The auditor beside a stage 2 at work: whatever that does, it is sound. */
#include "ept/guest_mem.h"
#include "tests/unit/audit_fixture.h"
#include "tests/unit/ept_pages.h"

#define EVERY 7 /* operations to an audit */

/* Every check is made as often as there is something to check. */
static void all_is_looked_at(void **state)
{
	struct audit_report r;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		*touchable(i) = i + 1;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(stage2_evict(s2, gfn(i)), 0);
	for (uint64_t i = 0; i < 10; i++) /* they keep their copies */
		assert_int_equal(*touchable(i), i + 1);
	settle();
	r = audit();
	assert_sound(r);
	assert_int_equal(r.pages, AUDITED);
	assert_int_equal(r.passed_over, 0);
	assert_int_equal(r.checked[AUDIT_MEMFD], AUDITED);
	assert_int_equal(r.checked[AUDIT_PAGEMAP], AUDITED);
	assert_int_equal(r.checked[AUDIT_POLICY], AUDITED);
	assert_int_equal(r.checked[AUDIT_SLOT], 20);
	assert_int_equal(r.checked[AUDIT_SLOT_TWICE], 19);
	assert_int_equal(r.checked[AUDIT_COUNTERS], PTE_KINDS);
	assert_int_equal(r.checked[AUDIT_SWAP_USED], 1);
}

/* One operation on a page of [first, first + step, ...). */
static void operate(uint64_t *seed, uint64_t first, uint64_t step)
{
	uint64_t r = random_next(seed), word = r;
	uint64_t page = first + (r >> 8) % (AUDITED / step) * step;

	switch (r % 8) {
	case 0:
	case 1:
		*touchable(page) = r;
		break;
	case 2:
		*touchable(page) = 0; /* zero again, if the rest is */
		break;
	case 3:
		(void)*touchable(page);
		break;
	case 4:
		assert_true(guest_write(s2, gpa_of(gfn(page)), &word, 8));
		break;
	case 5:
		stage2_evict(s2, gfn(page));
		break;
	case 6:
		stage2_unmap(s2, gfn(page));
		break;
	default:
		stage2_set_limit(s2, 200 + (r >> 32) % AUDITED);
	}
}

static void sound_after_every_operation(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 6000; i++) {
		operate(&seed, 0, 1);
		if (i % EVERY == 0)
			assert_sound(audit());
	}
}

static _Atomic bool over;

static void *storm(void *arg)
{
	uint64_t seed = (uintptr_t)arg, first = seed;

	while (!over)
		operate(&seed, first, 2);
	return NULL;
}

static void sound_in_a_storm(void **state)
{
	pthread_t worker[2];

	(void)state;
	over = false;
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&worker[i], NULL, storm, (void *)i);
	for (unsigned i = 0; i < 200; i++) {
		stage2_set_policy(s2, policies[i % 8]);
		assert_sound(audit());
	}
	over = true;
	for (unsigned i = 0; i < 2; i++)
		pthread_join(worker[i], NULL);
	assert_sound(audit());
}

/* Each resident page is with the policy, under watch or leaving, once. */
static void policy_holds_who_is_resident(void **state)
{
	static bool held[AUDITED];
	uint64_t seed = 4712;
	frame_t f;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		operate(&seed, 0, 1);
	settle();
	pthread_mutex_lock(&s2->lock);
	while (s2->policy->ops->choose(s2->policy, NULL, &f)) {
		assert_false(held[f.v]);
		held[f.v] = true;
	}
	for (uint64_t i = 0; i < AUDITED; i++) {
		enum pte_kind kind = pte_kind(ept_lookup(&s2->ept, gfn(i)));
		bool known = (kind == PTE_LEAF || kind == PTE_UNMAPPED) &&
			     !frame_set_has(&s2->watched, frame(i));

		assert_int_equal(held[i], known);
		if (held[i])
			s2->policy->ops->refer(s2->policy, frame(i));
	}
	pthread_mutex_unlock(&s2->lock);
	assert_sound(audit());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_looked_at),
		TEST(sound_after_every_operation),
		TEST(sound_in_a_storm),
		TEST(policy_holds_who_is_resident),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
