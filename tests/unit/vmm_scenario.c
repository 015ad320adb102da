/* SPDX-License-Identifier: MIT */
/* Scenarios: what their words mean, which make no sense, how dials move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/pressure_dial.h"
#include "vmm/scenario.h"

static struct scenario parsed(const char *text)
{
	struct complaint why = { "" };
	struct scenario s;

	if (!scenario_parse(&s, text, &why))
		fail_msg("%s: %s", text, why.text);
	return s;
}

static void a_scenario_says_what_and_when(void **state)
{
	(void)state;
	struct scenario s =
		parsed("# a story\n"
		       "0s cap 50%   # half of it\n"
		       "\n"
		       "1.5s cap 16M over 2s; 2s errors 5%\n"
		       "\t2000ms  delay bimodal 80us 2ms 3% in nbd\n"
		       "1m end\n"
		       "expect stall_full_avg10 < 20\n"
		       "expect mean guest_per_s > 0.5\n");
	const struct event *e = s.event;

	assert_string_equal(s.about, "a story");
	assert_int_equal(s.events, 4);
	assert_int_equal(s.end_ms, 60000);
	assert_int_equal(e[0].at_ms, 0);
	assert_int_equal(e[0].deed, DEED_MOVE);
	assert_int_equal(e[0].dial, DIAL_CAP);
	assert_int_equal(e[0].move.shape, MOVE_STEP);
	assert_true(e[0].move.low.percent);
	assert_true(e[0].move.low.value == 50);
	assert_string_equal(e[0].text, "cap 50%");
	assert_int_equal(e[1].at_ms, 1500);
	assert_int_equal(e[1].move.shape, MOVE_RAMP);
	assert_int_equal(e[1].move.ms, 2000);
	assert_false(e[1].move.low.percent);
	assert_true(e[1].move.low.value == 16 << 20);
	assert_int_equal(e[2].at_ms, 2000);
	assert_int_equal(e[2].deed, DEED_ERRORS);
	assert_true(e[2].injection.error_rate == 0.05);
	assert_string_equal(e[2].tier, "");
	assert_int_equal(e[3].deed, DEED_DELAY);
	assert_int_equal(e[3].injection.delay, INJECT_BIMODAL);
	assert_true(e[3].injection.delay_us == 80);
	assert_true(e[3].injection.slow_us == 2000);
	assert_true(e[3].injection.slow_share == 0.03);
	assert_string_equal(e[3].tier, "nbd");
	assert_int_equal(s.expects, 2);
	assert_int_equal(s.expect[0].when, EXPECT_ALWAYS);
	assert_int_equal(s.expect[0].bound.metric, METRIC_FULL_AVG10);
	assert_true(s.expect[0].bound.less);
	assert_true(s.expect[0].bound.limit == 20);
	assert_int_equal(s.expect[1].when, EXPECT_MEAN);
	assert_false(s.expect[1].bound.less);
	assert_string_equal(s.expect[1].text, "mean guest_per_s > 0.5");
}

/* Each thing there is to do, in its other forms. */
static void every_deed_is_understood(void **state)
{
	(void)state;
	struct scenario s = parsed(
		"1s cap 10%..60% sine 4s\n1s balloon 1M..2M walk 10ms\n"
		"1s hog 0\n1s delay fixed 2ms\n1s delay exponential 1ms\n"
		"1s delay pareto 1ms 1.5\n1s delay none in ram\n"
		"1s full on in file\n1s full off\n1s stall on\n"
		"1s stall off\n1s pause\n1s resume\n"
		"1s wait paused > 0 within 2m\n");
	static const enum deed deed[] = {
		DEED_MOVE,  DEED_MOVE,	DEED_MOVE,   DEED_DELAY, DEED_DELAY,
		DEED_DELAY, DEED_DELAY, DEED_FULL,   DEED_FULL,	 DEED_STALL,
		DEED_STALL, DEED_PAUSE, DEED_RESUME, DEED_WAIT,
	};

	assert_int_equal(s.events, sizeof(deed) / sizeof(deed[0]));
	for (unsigned i = 0; i < s.events; i++)
		assert_int_equal(s.event[i].deed, deed[i]);
	assert_int_equal(s.event[0].move.shape, MOVE_SINE);
	assert_int_equal(s.event[1].move.shape, MOVE_WALK);
	assert_int_equal(s.event[1].dial, DIAL_BALLOON);
	assert_int_equal(s.event[2].dial, DIAL_HOG);
	assert_true(s.event[5].injection.shape == 1.5);
	assert_true(s.event[7].injection.full);
	assert_string_equal(s.event[7].tier, "file");
	assert_false(s.event[8].injection.full);
	assert_true(s.event[9].injection.stall);
	assert_int_equal(s.event[13].bound.metric, METRIC_PAUSED);
	assert_false(s.event[13].bound.less);
	assert_int_equal(s.event[13].within_ms, 120000);
	assert_int_equal(s.end_ms, 1000);
}

static void it_ends_when_all_is_done(void **state)
{
	(void)state;
	assert_int_equal(parsed("2s cap 50% over 3s; 4s pause").end_ms, 5000);
	assert_int_equal(parsed("2s cap 50% over 3s; 3s end").end_ms, 3000);
}

static void nonsense_is_refused_by_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} bad[] = {
		{ "", "it ends as it begins" },
		{ "# only this", "it ends as it begins" },
		{ "0s cap 50%", "it ends as it begins" },
		{ "1s cap 50%\nsoon cap 50%", "line 2: 'soon' is no time" },
		{ "1s", "line 1: '' is nothing to do" },
		{ "1s cop 50%", "'cop' is nothing to do" },
		{ "1s cap", "want cap 64M" },
		{ "1s cap 64", "want cap 64M" },
		{ "1s cap -1%", "want cap 64M" },
		{ "1s cap 1e9%", "want cap 64M" },
		{ "1s cap nan%", "want cap 64M" },
		{ "1s cap 0x10%", "want cap 64M" },
		{ "1s cap 1.2.3%", "want cap 64M" },
		{ "1s cap 50% over", "want cap 64M" },
		{ "1s cap 50% over 0s", "want cap 64M" },
		{ "1s cap 50% over 3", "want cap 64M" },
		{ "1s cap 50% sine 3s", "want cap 64M" },
		{ "1s cap 20%..10% sine 3s", "want cap 64M" },
		{ "1s cap 20%..1G sine 3s", "want cap 64M" },
		{ "1s cap 50% in ram", "want cap 64M" },
		{ "1s balloon", "want balloon 32M" },
		{ "1s hog 99999999999999999T", "want hog 1G" },
		{ "1s delay fixed", "want delay none, fixed" },
		{ "1s delay fixed 11s", "want delay none, fixed" },
		{ "1s delay pareto 1ms 0", "want delay none, fixed" },
		{ "1s delay gauss 1ms", "want delay none, fixed" },
		{ "1s delay bimodal 1ms 2ms 101%", "want delay none, fixed" },
		{ "1s delay fixed 1ms in a-very-long-tier", "want delay" },
		{ "1s errors 5", "want errors 1%" },
		{ "1s full yes", "want full on or full off" },
		{ "1s stall", "want stall on or stall off" },
		{ "1s pause now", "want pause" },
		{ "1s resume a b c d e f g h i", "want resume" },
		{ "1s wait", "want wait METRIC" },
		{ "1s wait paused > 0", "want wait METRIC" },
		{ "1s wait paused > 0 within it", "want wait METRIC" },
		{ "1s wait paused > 0 after 9s", "want wait METRIC" },
		{ "1s wait paused = 1 within 9s", "want wait METRIC" },
		{ "1s wait speed > 1 within 9s", "want wait METRIC" },
		{ "2s pause; 1s resume", "'1s resume' is late" },
		{ "1s end; 1s pause", "'1s pause' is after the end" },
		{ "99999m end", "'99999m' is no time" },
		{ "1s end; expect", "want expect" },
		{ "1s end; expect much", "want expect" },
		{ "1s end; expect paused < many", "want expect" },
		{ "1s end; expect paused = 1", "want expect" },
		{ "1s end; expect max paused < 1", "want expect" },
		{ "1s end; expect speed > 1", "want expect" },
	};
	struct complaint why;
	struct scenario s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(scenario_parse(&s, bad[i].text, &why));
		if (!strstr(why.text, bad[i].part))
			fail_msg("%s: %s", bad[i].text, why.text);
	}
}

static void too_many_are_refused(void **state)
{
	(void)state;
	static char text[16 * (SCENARIO_EVENTS + 1)];
	struct complaint why;
	struct scenario s;

	for (unsigned i = 0; i < SCENARIO_EVENTS; i++)
		strcat(text, "1s pause\n");
	assert_int_equal(parsed(text).events, SCENARIO_EVENTS);
	strcat(text, "1s pause\n");
	assert_false(scenario_parse(&s, text, &why));
	assert_string_equal(why.text, "line 65: more than 64 of them");
}

static struct dial_state dial(const char *move, double now)
{
	struct dial_state d = { .now = now, .chance = 1 };
	struct scenario s = parsed(move);

	dial_start(&d, &s.event[0].move, 1000, 100);
	return d;
}

static void a_step_is_there_at_once(void **state)
{
	(void)state;
	struct dial_state d = dial("1s cap 50%", 1000);

	assert_true(dial_at(&d, 100) == 500);
	assert_true(dial_at(&d, 100000) == 500);
}

static void a_ramp_gets_there_evenly(void **state)
{
	(void)state;
	struct dial_state d = dial("1s cap 20% over 4s", 1000);

	assert_true(dial_at(&d, 100) == 1000);
	assert_true(dial_at(&d, 1100) == 800);
	assert_true(dial_at(&d, 4100) == 200);
	assert_true(dial_at(&d, 9999) == 200);
	/* Nobody may be late for its end. */
	assert_int_equal(dial_due(&d, 100), 4100);
	assert_int_equal(dial_due(&d, 4099), 4100);
	assert_true(dial_due(&d, 4100) == INT64_MAX);
	d = dial("1s cap 20%", 1000);
	assert_true(dial_due(&d, 100) == INT64_MAX);
}

static void a_sine_begins_above(void **state)
{
	(void)state;
	struct dial_state d = dial("1s cap 20%..60% sine 4s", 1000);

	assert_true(dial_at(&d, 100) == 600);
	assert_float_equal(dial_at(&d, 1100), 400, 1e-9);
	assert_float_equal(dial_at(&d, 2100), 200, 1e-9);
	assert_float_equal(dial_at(&d, 4100), 600, 1e-9);
}

/* However often it is looked at, the same way; and never out of its range. */
static void a_walk_stays_in_its_range(void **state)
{
	(void)state;
	struct dial_state a = dial("1s cap 20%..60% walk 10ms", 1000), b = a;
	double least = 1000, most = 0;

	for (int64_t ms = 100; ms < 10100; ms++) {
		double at = dial_at(&a, ms);

		least = at < least ? at : least;
		most = at > most ? at : most;
	}
	assert_true(least >= 200 && least < 240);
	assert_true(most <= 600 && most > 560);
	assert_true(dial_at(&b, 10099) == a.now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scenario_says_what_and_when),
		cmocka_unit_test(every_deed_is_understood),
		cmocka_unit_test(it_ends_when_all_is_done),
		cmocka_unit_test(nonsense_is_refused_by_line),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(a_step_is_there_at_once),
		cmocka_unit_test(a_ramp_gets_there_evenly),
		cmocka_unit_test(a_sine_begins_above),
		cmocka_unit_test(a_walk_stays_in_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
