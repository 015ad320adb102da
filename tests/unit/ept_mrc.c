/* SPDX-License-Identifier: MIT */
/* The miss-ratio curve against LRU in replay, a run for each size. */
#include "ept/mrc.h"
#include "tests/unit/ept_estimate.h"

static struct mrc *mrc_of(uint64_t frames, unsigned sampling)
{
	const struct mrc_config c = { frames, sampling };
	struct mrc *m;

	assert_int_equal(mrc_create(&m, &c), 0);
	return m;
}

/* The misses of LRU at point @i of 16, discards as in is_discard. */
static uint64_t lru_at(const struct string *s, uint64_t frames, bool discards)
{
	struct replay r;

	assert_int_equal(replay_init(&r, &policy_lru, s->pages, frames), 0);
	for (size_t i = 0; i < s->n; i++)
		if (discards && is_discard(i))
			replay_forget(&r, (frame_t){ s->page[i] });
		else
			replay_reference(&r, (frame_t){ s->page[i] });
	replay_destroy(&r);
	return r.misses;
}

static void check_curve(uint32_t pages, bool discards)
{
	struct string s = string_zipf(pages, 30000, 6, SEED);
	struct mrc *m = mrc_of(pages, 0);
	struct mrc_report r;

	for (size_t i = 0; i < s.n; i++)
		if (discards && is_discard(i))
			mrc_forget(m, (frame_t){ s.page[i] });
		else
			mrc_reference(m, (frame_t){ s.page[i] });
	mrc_report(m, &r);
	for (unsigned i = 0; i < MRC_POINTS; i++) {
		uint64_t frames = r.point[i].frames;

		assert_int_equal(frames, pages * (i + 1) / MRC_POINTS);
		assert_int_equal(r.point[i].misses.sampled,
				 frames ? lru_at(&s, frames, discards)
					: r.references.sampled);
	}
	assert_int_equal(r.point[MRC_POINTS - 1].misses.sampled,
			 r.first.sampled);
	mrc_destroy(m);
	string_free(&s);
}

/* Fewer pages than points, as many, not a multiple, and many. */
static void a_full_curve_is_lru(void **state)
{
	static const uint32_t sizes[] = { 1, 5, 16, 17, 33, 500, 1600 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_curve(sizes[i], false);
		check_curve(sizes[i], true);
	}
}

static void an_eighth_draws_the_curve(void **state)
{
	struct string s = string_zipf(1 << 15, 1000000, 7, SEED);
	struct mrc *m = mrc_of(s.pages, 3);
	struct mrc_report r;
	uint64_t last = s.n, seen = 0;

	(void)state;
	for (size_t i = 0; i < s.n; i++) {
		frame_t f = { s.page[i] };

		mrc_reference(m, f);
		seen += mrc_sampled(m, f);
	}
	mrc_report(m, &r);
	assert_int_equal(r.references.sampled, seen);
	for (unsigned i = 0; i < MRC_POINTS; i++) {
		uint64_t misses = r.point[i].misses.estimate;

		assert_near("mrc", misses, lru_at(&s, r.point[i].frames, false),
			    s.n);
		assert_true(misses <= last);
		last = misses;
	}
	mrc_destroy(m);
	string_free(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_curve_is_lru),
		cmocka_unit_test(an_eighth_draws_the_curve),
	};

	return cmocka_run_group_tests_name("mrc", tests, NULL, NULL);
}
