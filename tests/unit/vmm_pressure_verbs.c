/* SPDX-License-Identifier: MIT */
/* Each word of a scenario, by what the VM is asked for, and that everything is
 * put back as it was. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include <errno.h>
#include <signal.h>

#include "vmm/pressure.h"
#include "vmm/pressure_hog.h"

#define NOTHING "ram none 0 0 0 0 0\nfile none 0 0 0 0 0\n"

/* What @scenario had the VM do. */
static const char *said(const char *scenario)
{
	struct capture c;

	f.vm.said_len = 0;
	f.vm.said[0] = '\0';
	c = capture_run(cmd_pressure,
			(const char *const[]){ f.path, scenario, NULL });
	if (c.status)
		fail_msg("%s: %d, %s%s", scenario, c.status, c.out, c.err);
	capture_free(&c);
	return f.vm.said;
}

static void each_word_is_an_order(void **state)
{
	(void)state;
	static const struct {
		const char *scenario, *said;
	} cases[] = {
		/* The cap is 64 MiB, of 256; the balloon has nothing. */
		{ "0s cap 25%; 9ms end", "cap 16\ncap 64\n" },
		{ "0s cap 12M; 9ms end", "cap 12\ncap 64\n" },
		{ "0s cap 1%; 9ms end", "cap 3\ncap 64\n" }, /* the least */
		{ "0s balloon 25%; 9ms end", "balloon 64\nballoon 0\n" },
		{ "0s balloon 12M; 9ms end", "balloon 12\nballoon 0\n" },
		{ "0s delay fixed 2ms; 9ms end",
		  "ram fixed 2000 0 0 0 0\nfile fixed 2000 0 0 0 0\n" NOTHING },
		{ "0s delay exponential 3ms in ram; 9ms end",
		  "ram exponential 3000 0 0 0 0\n" NOTHING },
		{ "0s delay pareto 1ms 1.5 in file; 9ms end",
		  "file pareto 1000 1.5 0 0 0\n" NOTHING },
		{ "0s delay bimodal 1ms 20ms 5% in ram; 9ms end",
		  "ram bimodal 1000 0 20000 0.05 0\n" NOTHING },
		{ "0s delay fixed 1ms in ram; 5ms delay none in ram; 9ms end",
		  "ram fixed 1000 0 0 0 0\nram none 0 0 0 0 0\n" NOTHING },
		{ "0s errors 5% in file; 9ms end",
		  "file none 0 0 0 0 0.05\n" NOTHING },
		{ "0s full on in ram; 5ms full off in ram; 9ms end",
		  "ram none 0 0 0 0 0 full\nram none 0 0 0 0 0\n" NOTHING },
		{ "0s stall on in ram; 5ms stall off in ram; 9ms end",
		  "ram none 0 0 0 0 0 stall\nram none 0 0 0 0 0\n" NOTHING },
		/* One does not undo the other. */
		{ "0s full on in ram; 5ms errors 1% in ram; 9ms end",
		  "ram none 0 0 0 0 0 full\nram none 0 0 0 0 0.01 full\n" NOTHING },
		{ "0s resume; 9ms end", "resume\npause\n" },
		{ "0s resume; 5ms pause; 9ms end", "resume\npause\n" },
		{ "9ms end", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(said(cases[i].scenario), cases[i].said))
			fail_msg("%s:\n%s", cases[i].scenario, f.vm.said);
}

static void who_ran_before_runs_again(void **state)
{
	(void)state;
	f.vm.running = true;
	assert_string_equal(said("0s pause; 9ms end"), "pause\nresume\n");
	assert_string_equal(said("0s pause; 5ms resume; 9ms end"),
			    "pause\nresume\n");
	assert_true(f.vm.running);
}

/* What was set by hand before is what comes back. */
static void other_settings_come_back(void **state)
{
	(void)state;
	f.vm.resident = 48 << 20;
	f.vm.balloon = 7 * 256;
	assert_string_equal(said("0s cap 50%; 0s balloon 9M; 9ms end"),
			    "cap 24\nballoon 9\ncap 48\nballoon 7\n");
}

/* However it gets there and however seldom it is seen on the way. */
static void a_ramp_ends_where_it_should(void **state)
{
	(void)state;
	const char *text = said("0s cap 16M over 310ms; 1s end");

	assert_non_null(strstr(text, "cap 16\ncap 64\n"));
}

/* Not outside of its range, and at both of its ends if it is slow enough. */
static void assert_swings(const char *scenario)
{
	const char *text = said(scenario);
	unsigned moves = 0;
	double cap;
	int n;

	for (; sscanf(text, "cap %lf\n%n", &cap, &n) == 1; text += n, moves++)
		if (cap != 64 && (cap < 16 || cap > 32))
			fail_msg("%s: %g", scenario, cap);
	assert_string_equal(text, "");
	assert_true(moves >= 2);
}

static void waves_and_walks_move(void **state)
{
	(void)state;
	assert_swings("0s cap 16M..32M sine 100ms; 600ms end");
	assert_swings("0s cap 16M..32M walk 10ms; 600ms end");
}

static unsigned long resident_pages(pid_t pid)
{
	unsigned long pages = 0;
	char path[64];
	FILE *statm;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	statm = fopen(path, "r");
	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%*u %lu", &pages), 1);
	fclose(statm);
	return pages;
}

/* Wait until it has from @least to @most. */
static void await_pages(pid_t pid, unsigned long least, unsigned long most)
{
	int64_t end = now_ms() + 60000;
	unsigned long pages;

	do
		pages = resident_pages(pid);
	while ((pages < least || pages > most) && now_ms() < end);
	assert_in_range(pages, least, most);
}

static void a_hog_takes_and_gives(void **state)
{
	/* What it shares with us, and what it stands on. */
	unsigned long more = resident_pages(getpid()) + 512;
	struct hog h;
	pid_t pid;

	(void)state;
	assert_int_equal(hog_init(&h), 0);
	assert_int_equal(hog_set(&h, 0), 0);
	assert_int_equal(h.pid, 0); /* nothing to do: no process */
	assert_int_equal(hog_set(&h, 32 << 20), 32 << 20);
	pid = h.pid;
	await_pages(pid, 8192, 8192 + more);
	hog_set(&h, 8 << 20);
	await_pages(pid, 2048, 2048 + more);
	assert_int_equal(hog_set(&h, UINT64_MAX), h.most);
	hog_end(&h);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_word_is_an_order),
		TEST(who_ran_before_runs_again),
		TEST(other_settings_come_back),
		TEST(a_ramp_ends_where_it_should),
		TEST(waves_and_walks_move),
		cmocka_unit_test(a_hog_takes_and_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
