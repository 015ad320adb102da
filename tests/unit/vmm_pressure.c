/* SPDX-License-Identifier: MIT */
/* `twofold pressure` on a VM that only takes notes: what it is asked for, what
 * is reported, and that everything is as before afterwards. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include <jansson.h>
#include <signal.h>

#include "vmm/pressure.h"

static struct capture pressure(const char *scenario, const char *option,
			       const char *value)
{
	return capture_run(
		cmd_pressure,
		(const char *const[]){ f.path, scenario, option, value, NULL });
}

static json_t *report_of(const char *scenario, int status)
{
	struct capture c = pressure(scenario, "--json", NULL);
	json_t *report = json_loads(c.out, 0, NULL);

	if (c.status != status)
		fail_msg("%d: %s%s", c.status, c.out, c.err);
	assert_non_null(report);
	capture_free(&c);
	return report;
}

static const char *text_at(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void a_run_is_reported_by_phases(void **state)
{
	(void)state;
	json_t *r = report_of("20ms cap 50%; 20ms balloon 8M; 60ms cap 40M;"
			      "100ms end; expect paused > 0",
			      0);
	json_t *phases = json_object_get(r, "phases");

	assert_true(json_is_true(json_object_get(r, "passed")));
	assert_true(json_is_true(json_object_get(r, "completed")));
	assert_int_equal(json_array_size(phases), 3);
	assert_string_equal(text_at(json_array_get(phases, 0), "done"),
			    "as it was");
	assert_string_equal(text_at(json_array_get(phases, 1), "done"),
			    "cap 50%; balloon 8M");
	assert_string_equal(text_at(json_array_get(phases, 2), "done"),
			    "cap 40M");
	/* It never said what it has done. */
	assert_true(json_is_null(json_object_get(
		json_object_get(json_object_get(r, "metrics"), "guest_per_s"),
		"mean")));
	json_decref(r);
	/* 32 MiB, 40, and as it was. */
	assert_int_equal(f.vm.residents, 3);
	assert_int_equal(f.vm.resident, 64 << 20);
	assert_int_equal(f.vm.balloon, 0);
}

static void a_broken_expectation_fails(void **state)
{
	(void)state;
	json_t *r = report_of("50ms end; expect paused < 1; expect mean "
			      "guest_per_s > 1; expect end cap_mib > 63",
			      1);
	json_t *list = json_object_get(r, "expectations");
	static const bool ok[] = { false, false, true };

	assert_false(json_is_true(json_object_get(r, "passed")));
	assert_true(json_is_true(json_object_get(r, "completed")));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(json_is_true(json_object_get(
					 json_array_get(list, i), "ok")),
				 ok[i]);
	json_decref(r);
}

/* What is injected is seen while it runs by another client. */
struct watcher {
	pthread_t thread;
	atomic_bool seen;
};

static void *watch(void *arg)
{
	struct watcher *w = arg;
	int64_t end = now_ms() + 10000;

	while (!w->seen && now_ms() < end) {
		pthread_mutex_lock(&f.vm.telling);
		w->seen = f.vm.injection[0].delay == INJECT_NONE &&
			  f.vm.injection[0].error_rate == 0.5 &&
			  f.vm.injection[0].seed == 9 &&
			  f.vm.injection[0].lease_ms > 5000 &&
			  f.vm.injection[1].delay == INJECT_PARETO &&
			  f.vm.injection[1].shape == 2 &&
			  f.vm.injection[1].error_rate == 0.5;
		pthread_mutex_unlock(&f.vm.telling);
	}
	return NULL;
}

static void injection_is_merged_and_ended(void **state)
{
	(void)state;
	static const struct injection nothing;
	struct watcher w = { .seen = false };

	pthread_create(&w.thread, NULL, watch, &w);
	struct capture c = pressure("0s delay pareto 1ms 2 in file; 0s errors "
				    "50%; 300ms end",
				    "--seed", "9");
	pthread_join(w.thread, NULL);
	assert_int_equal(c.status, 0);
	capture_free(&c);
	assert_true(w.seen);
	for (unsigned i = 0; i < 2; i++)
		assert_memory_equal(&f.vm.injection[i], &nothing,
				    sizeof(nothing));
}

static void the_table_is_for_people(void **state)
{
	(void)state;
	f.vm.progress = 5;
	struct capture c = pressure("50ms pause; 50ms end; expect faults_per_s "
				    "< 1",
				    NULL, NULL);

	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.out, "seed 1\n"));
	assert_non_null(strstr(c.out, "  as it was\n"));
	assert_non_null(strstr(c.out, "  pause\n"));
	assert_non_null(strstr(c.out, "expect    faults_per_s < 1: ok, 0\n"));
	assert_non_null(strstr(c.out, "\npassed\n"));
	assert_non_null(strstr(c.err, "63.0 of 64.0 MiB"));
	capture_free(&c);
	assert_int_equal(f.vm.pauses, 1);
	/* It says it is paused, as it was before. */
	assert_int_equal(f.vm.resumes, 0);
}

static void a_refusal_ends_the_run(void **state)
{
	(void)state;
	f.vm.refusal = "no, today not";
	json_t *r = report_of("0s cap 1M; 60s end", 1);

	assert_false(json_is_true(json_object_get(r, "completed")));
	assert_non_null(strstr(text_at(r, "stopped"), "no, today not"));
	json_decref(r);
	f.vm.refusal = NULL;
	r = report_of("0s full on in nbd; 60s end", 1);
	assert_non_null(strstr(text_at(r, "stopped"), "no such tier"));
	json_decref(r);
	/* What was done before is put back. */
	r = report_of("0s cap 32M; 10ms full on in nbd; 60s end", 1);
	assert_non_null(strstr(text_at(r, "stopped"), "no such tier"));
	json_decref(r);
	assert_int_equal(f.vm.residents, 2);
	assert_int_equal(f.vm.resident, 64 << 20);
}

/* Pauses the VM, some looks after its cap was set: *arg is how often that was
 * done by then. */
static void *pause_later(void *arg)
{
	int *residents = arg, from;
	int64_t end = now_ms() + 10000;

	while (!f.vm.residents && now_ms() < end)
		sleep_ms(1);
	from = f.vm.statuses;
	while (f.vm.statuses < from + 3 && now_ms() < end)
		sleep_ms(1);
	*residents = f.vm.residents;
	f.vm.running = false;
	return NULL;
}

static void a_wait_delays_what_follows(void **state)
{
	pthread_t thread;
	int residents;
	json_t *r;

	(void)state;
	f.vm.running = true;
	pthread_create(&thread, NULL, pause_later, &residents);
	r = report_of("0s cap 32M; 9ms wait paused > 0 within 60s; 9ms cap "
		      "16M; 99ms end",
		      0);
	pthread_join(thread, NULL);
	assert_int_equal(residents, 1);
	assert_string_equal(f.vm.said, "cap 32\ncap 16\ncap 64\nresume\n");
	assert_int_equal(json_array_size(json_object_get(r, "phases")), 3);
	json_decref(r);
}

static void what_does_not_come_fails(void **state)
{
	(void)state;
	json_t *r = report_of("0s cap 32M; 9ms wait paused < 1 within 10ms;"
			      "60s end",
			      1);

	assert_string_equal(text_at(r, "stopped"),
			    "wait paused < 1 within 10ms: it is not");
	json_decref(r);
	assert_int_equal(f.vm.resident, 64 << 20);
}

/* A signal ends the run, not without everything being put back. */
static int interrupted(int argc, char **argv)
{
	pid_t self = getpid();

	if (!fork()) {
		sleep_ms(300);
		kill(self, SIGINT);
		_exit(0);
	}
	return cmd_pressure(argc, argv);
}

static void a_signal_ends_the_run(void **state)
{
	(void)state;
	struct capture c = capture_run(
		interrupted,
		(const char *const[]){ f.path, "0s cap 32M; 60s end", NULL });

	assert_int_equal(c.status, 128 + SIGINT);
	assert_non_null(strstr(c.out, "stopped   interrupted\n"));
	capture_free(&c);
	assert_int_equal(f.vm.residents, 2);
	assert_int_equal(f.vm.resident, 64 << 20);
}

static void assert_usage(const char *scenario, const char *option,
			 const char *err)
{
	struct capture c = pressure(scenario, option, NULL);

	assert_int_equal(c.status, 2);
	assert_string_equal(c.out, "");
	if (!strstr(c.err, err))
		fail_msg("%s: does not say %s", c.err, err);
	capture_free(&c);
}

static void nonsense_is_a_usage_error(void **state)
{
	(void)state;
	assert_usage(NULL, NULL, "a VM and a scenario are needed");
	assert_usage("nobody-knows", NULL, "no scenario nobody-knows");
	assert_usage("/no/such/file", NULL, "/no/such/file: No such file");
	assert_usage("0s nothing", NULL, "line 1: 'nothing'");
	assert_usage("1s end", "--seed", "--seed wants a number");
	assert_usage("1s end", "--yaml", "no such option: --yaml");
	assert_usage("1s end", "more", "one word too many: more");
	assert_int_equal(f.vm.statuses, 0);
}

static void a_file_can_be_given(void **state)
{
	(void)state;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/x.scenario", f.folder);
	file = fopen(path, "w");
	fputs("# of a file\n30ms end\n", file);
	fclose(file);
	struct capture c = pressure(path, NULL, NULL);
	assert_int_equal(c.status, 0);
	capture_free(&c);
	file = fopen(path, "w");
	fputc('\0', file);
	fclose(file);
	assert_usage(path, NULL, "this is no scenario");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_is_reported_by_phases),
		TEST(a_broken_expectation_fails),
		TEST(injection_is_merged_and_ended),
		TEST(the_table_is_for_people),
		TEST(a_refusal_ends_the_run),
		TEST(a_wait_delays_what_follows),
		TEST(what_does_not_come_fails),
		TEST(a_signal_ends_the_run),
		TEST(nonsense_is_a_usage_error),
		TEST(a_file_can_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
