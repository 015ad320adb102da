/* SPDX-License-Identifier: MIT */
/* Shadow policies against replay. */
#include <errno.h>

#include "ept/shadow.h"
#include "tests/unit/ept_estimate.h"

static struct shadow *shadow_of(uint64_t frames, unsigned sampling,
				uint64_t capacity)
{
	const struct shadow_config c = { frames, sampling, capacity, policies };
	struct shadow *s;

	assert_int_equal(shadow_create(&s, &c), 0);
	return s;
}

/* The cap from reference @i on, or 0: it stays. */
static uint64_t cap_at(const struct string *s, size_t i)
{
	return i == s->n / 3 ? s->pages / 8 : i == s->n / 2 ? s->pages / 2 : 0;
}

static uint64_t replayed(const struct string *s, const struct policy_ops *ops)
{
	struct replay r;

	assert_int_equal(replay_init(&r, ops, s->pages, s->pages / 4), 0);
	for (size_t i = 0; i < s->n; i++) {
		frame_t f = { s->page[i] };

		if (cap_at(s, i))
			replay_resize(&r, cap_at(s, i));
		if (is_discard(i))
			replay_forget(&r, f);
		else
			replay_reference(&r, f);
	}
	replay_destroy(&r);
	return r.misses;
}

static void a_full_sample_is_replay(void **state)
{
	struct string s = string_zipf(777, 50000, 5, SEED);
	struct shadow *shadow = shadow_of(s.pages, 0, s.pages / 4);
	struct shadow_report r;

	(void)state;
	for (size_t i = 0; i < s.n; i++) {
		frame_t f = { s.page[i] };

		assert_true(shadow_sampled(shadow, f));
		if (cap_at(&s, i))
			shadow_resize(shadow, cap_at(&s, i));
		if (is_discard(i))
			shadow_forget(shadow, f);
		else
			shadow_reference(shadow, f);
	}
	shadow_report(shadow, &r);
	assert_int_equal(r.frames, s.pages);
	assert_int_equal(r.sampled, s.pages);
	assert_int_equal(r.policies, 8);
	for (unsigned i = 0; i < r.policies; i++) {
		uint64_t want = replayed(&s, policies[i]);

		assert_string_equal(r.policy[i].name, policies[i]->name);
		assert_int_equal(r.policy[i].misses.sampled, want);
		assert_int_equal(r.policy[i].misses.estimate, want);
	}
	assert_int_equal(r.references.sampled, s.n - (s.n - 6 + 97) / 97);
	shadow_destroy(shadow);
	string_free(&s);
}

static void only_the_sample_is_fed(void **state)
{
	struct shadow *shadow = shadow_of(4096, 3, 100);
	struct shadow_report r;
	uint64_t sampled = 0;

	(void)state;
	for (frame_t f = { 0 }; f.v < 4096; f.v++) {
		sampled += shadow_sampled(shadow, f);
		shadow_reference(shadow, f);
		shadow_forget(shadow, f);
		shadow_reference(shadow, f);
	}
	shadow_report(shadow, &r);
	assert_int_equal(r.sampled, sampled);
	assert_int_equal(r.references.sampled, 2 * sampled);
	assert_int_equal(r.references.estimate, 2 * 4096);
	for (unsigned i = 0; i < r.policies; i++)
		assert_int_equal(r.policy[i].misses.estimate, 2 * 4096);
	shadow_destroy(shadow);
}

static void too_many_shadows_are_refused(void **state)
{
	const struct policy_ops *nine[SHADOW_POLICIES + 2] = { NULL };
	struct shadow_config c = { 100, 0, 10, nine };
	struct shadow *s;

	(void)state;
	assert_int_equal(shadow_create(&s, &c), 0); /* of nothing */
	shadow_reference(s, (frame_t){ 1 });
	shadow_destroy(s);
	for (unsigned i = 0; i <= SHADOW_POLICIES; i++)
		nine[i] = &policy_lru;
	assert_int_equal(shadow_create(&s, &c), -EINVAL);
}

/* Zipf over 2^15 pages, one in 8 sampled: each policy's misses. */
static void an_eighth_tells_the_whole(void **state)
{
	struct string s = string_zipf(1 << 15, 1000000, 7, SEED);
	struct shadow *shadow = shadow_of(s.pages, 3, s.pages / 4);
	struct shadow_report r;

	(void)state;
	print_message("seed %d, tolerance %.2f\n", SEED, TOLERANCE);
	for (size_t i = 0; i < s.n; i++)
		shadow_reference(shadow, (frame_t){ s.page[i] });
	shadow_report(shadow, &r);
	for (unsigned i = 0; i < r.policies; i++)
		assert_near(r.policy[i].name, r.policy[i].misses.estimate,
			    string_misses(&s, policies[i], s.pages / 4), s.n);
	shadow_destroy(shadow);
	string_free(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_sample_is_replay),
		cmocka_unit_test(only_the_sample_is_fed),
		cmocka_unit_test(too_many_shadows_are_refused),
		cmocka_unit_test(an_eighth_tells_the_whole),
	};

	return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
