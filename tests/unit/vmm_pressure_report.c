/* SPDX-License-Identifier: MIT */
/* What a run under pressure comes to: metrics of two samples, spreads of many,
 * phases, and every kind of expectation, on samples that are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/pressure_report.h"

#define MIB UINT64_C(1048576)

static struct scenario scenario;
static struct pressure_run_report r;

/* At @ms, with a cap of @mib; nothing has been done by anybody. */
static struct sample at(int64_t ms, uint64_t mib)
{
	return (struct sample){ .at_ms = ms,
				.wall_us = (uint64_t)ms * 1000,
				.cap = mib * MIB };
}

static void sample(struct sample s)
{
	double now[METRICS];

	report_sample(&r, &s, now);
}

/* A cap of 32 MiB for 1 s, 8 for 2 s, 48 for 1 s. */
static int start(void **state)
{
	struct sample first = at(0, 64);

	(void)state;
	scenario = (struct scenario){ .events = 0 };
	memset(&r, 0, sizeof(r));
	r.scenario = &scenario;
	report_begin(&r, &first);
	report_phase(&r, "cap 32M");
	sample(at(1000, 32));
	report_phase(&r, "cap 8M");
	sample(at(2000, 8));
	sample(at(3000, 8));
	report_phase(&r, "cap 48M");
	sample(at(4000, 48));
	r.completed = true;
	return 0;
}

static void two_samples_make_every_metric(void **state)
{
	const struct sample a = { .wall_us = 1000000,
				  .progress = 100,
				  .faults = 1000,
				  .swapped_in = 50,
				  .swapped_out = 60,
				  .some_us = 1000,
				  .full_us = 500 };
	const struct sample b = { .wall_us = 3000000,
				  .cap = 32 * MIB,
				  .resident = 31 * MIB,
				  .progress = 500,
				  .faults = 3000,
				  .swapped_in = 450,
				  .swapped_out = 260,
				  .some_us = 201000,
				  .full_us = 100500,
				  .some_avg10 = 7,
				  .full_avg10 = 3,
				  .paused = true };
	static const double want[METRICS] = {
		[METRIC_CAP] = 32,	 [METRIC_RESIDENT] = 31,
		[METRIC_GUEST] = 200,	 [METRIC_FAULTS] = 1000,
		[METRIC_SWAP_IN] = 200,	 [METRIC_SWAP_OUT] = 100,
		[METRIC_WAIT] = 100,	 [METRIC_SOME] = 10,
		[METRIC_FULL] = 5,	 [METRIC_SOME_AVG10] = 7,
		[METRIC_FULL_AVG10] = 3, [METRIC_PAUSED] = 1,
	};
	double got[METRICS];

	(void)state;
	metrics_between(&a, &b, got);
	for (unsigned m = 0; m < METRICS; m++)
		assert_float_equal(got[m], want[m], 1e-9);
	/* No time, no rate; no fault, no wait. */
	metrics_between(&b, &b, got);
	assert_true(got[METRIC_FAULTS] == 0);
	assert_true(got[METRIC_WAIT] == 0);
}

static void a_phase_is_what_was_done_and_when(void **state)
{
	static const struct {
		const char *text;
		int64_t from, to;
	} want[] = {
		{ "cap 32M", 0, 1000 },
		{ "cap 8M", 1000, 3000 },
		{ "cap 48M; pause", 3000, 5000 },
	};

	(void)state;
	/* Done at once with the one before it. */
	r.phase[2].last = r.phase[2].first;
	report_phase(&r, "pause");
	sample(at(5000, 48));
	assert_int_equal(r.phases, 3);
	for (unsigned i = 0; i < r.phases; i++) {
		assert_string_equal(r.phase[i].text, want[i].text);
		assert_int_equal(r.phase[i].first.at_ms, want[i].from);
		assert_int_equal(r.phase[i].last.at_ms, want[i].to);
	}
}

/* A cap that swings is told by how low it went. */
static void a_phase_has_its_least_cap(void **state)
{
	static const double want[] = { 32, 8, 20 };
	double m[METRICS];

	(void)state;
	sample(at(5000, 20));
	sample(at(6000, 52));
	for (unsigned i = 0; i < r.phases; i++) {
		phase_metrics(&r.phase[i], m);
		assert_true(m[METRIC_CAP] == want[i]);
	}
}

static void a_spread_is_weighted_by_time(void **state)
{
	const struct spread *s = &r.spread[METRIC_CAP];

	(void)state;
	assert_true(s->least == 8);
	assert_true(s->most == 48);
	assert_true(s->end == 48);
	assert_float_equal(s->mean, (32 + 8 + 8 + 48) / 4.0, 1e-9);
	sample(at(8000, 104));
	assert_float_equal(s->mean, (96 + 4 * 104) / 8.0, 1e-9);
}

static void each_kind_of_expectation(void **state)
{
	static const struct {
		const char *text;
		double value;
		bool ok;
	} cases[] = {
		/* Every moment: the worst one counts. */
		{ "expect cap_mib < 49", 48, true },
		{ "expect cap_mib < 48", 48, false },
		{ "expect cap_mib > 7", 8, true },
		{ "expect cap_mib > 8", 8, false },
		{ "expect mean cap_mib < 25", 24, true },
		{ "expect mean cap_mib < 24", 24, false },
		{ "expect mean cap_mib > 23", 24, true },
		{ "expect mean cap_mib > 24", 24, false },
		{ "expect end cap_mib > 47", 48, true },
		{ "expect end cap_mib > 48", 48, false },
		{ "expect end cap_mib < 49", 48, true },
		{ "expect end cap_mib < 48", 48, false },
		{ "expect paused < 1", 0, true },
	};
	struct complaint why;
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];

		snprintf(text, sizeof(text), "1s end; %s", cases[i].text);
		assert_true(scenario_parse(&scenario, text, &why));
		if (expectation_holds(&r, &scenario.expect[0], &value) !=
			    cases[i].ok ||
		    value != cases[i].value)
			fail_msg("%s: %g", cases[i].text, value);
		assert_int_equal(report_passed(&r), cases[i].ok);
	}
}

static void all_have_to_come_true(void **state)
{
	struct complaint why;

	(void)state;
	assert_true(scenario_parse(&scenario,
				   "1s end; expect paused < 1; expect end "
				   "cap_mib < 1; expect cap_mib > 1",
				   &why));
	assert_false(report_passed(&r));
	scenario.expects = 1;
	assert_true(report_passed(&r));
	r.completed = false;
	assert_false(report_passed(&r));
	r.completed = true;
	r.samples = 0; /* nothing was seen */
	assert_false(report_passed(&r));
}

/* A guest that never said what it does did not do it fast, nor slowly. */
static void a_silent_guest_meets_no_expectation(void **state)
{
	struct sample s = at(5000, 48);
	struct complaint why;

	(void)state;
	assert_true(scenario_parse(&scenario, "1s end; expect guest_per_s < 5",
				   &why));
	assert_false(report_knows_guest(&r));
	assert_false(report_passed(&r));
	s.progress = 1;
	sample(s);
	assert_true(report_knows_guest(&r));
	assert_true(report_passed(&r));
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_samples_make_every_metric),
		TEST(a_phase_is_what_was_done_and_when),
		TEST(a_phase_has_its_least_cap),
		TEST(a_spread_is_weighted_by_time),
		TEST(each_kind_of_expectation),
		TEST(all_have_to_come_true),
		TEST(a_silent_guest_meets_no_expectation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
