/* SPDX-License-Identifier: MIT */
/* The control API: its routes and its JSON. */
#include "tests/unit/api_each.h"

#include <jansson.h>

/* A fault is an object with one text, and says @part. */
static void assert_fault(const struct answer *a, const char *part)
{
	json_t *fault = json_loads(a->body, 0, NULL);
	const char *text = "";

	assert_non_null(fault);
	assert_int_equal(json_unpack_ex(fault, NULL, JSON_STRICT, "{s:s}",
					"fault_message", &text),
			 0);
	if (!strstr(text, part))
		fail_msg("%s: does not say %s", text, part);
	json_decref(fault);
}

static void status_is_the_report(void **state)
{
	(void)state;
	struct answer a;
	struct status st;
	struct fake_vm other = { 0 };

	fake_status(&other, &st);
	char *want = status_json(&st, false);
	ask(&f, &a, "GET", "/status", "");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, want);
	assert_non_null(strstr(a.head, "Content-Type: application/json\r\n"));
	free(want);
}

static void orders_reach_the_vm(void **state)
{
	(void)state;
	struct answer a;

	ask(&f, &a, "PATCH", "/vm", "{\"state\": \"Paused\"}");
	assert_int_equal(a.status, 204);
	assert_null(strstr(a.head, "Content-Length"));
	ask(&f, &a, "PATCH", "/vm", " { \"state\" :\n\"Resumed\" } ");
	assert_int_equal(a.status, 204);
	ask(&f, &a, "PATCH", "/vm", "{\"state\":\"Stopped\"}");
	assert_int_equal(a.status, 204);
	ask(&f, &a, "PUT", "/memory/resident", "{\"resident_bytes\":33554432}");
	assert_int_equal(a.status, 204);
	assert_int_equal(f.vm.pauses, 1);
	assert_int_equal(f.vm.resumes, 1);
	assert_int_equal(f.vm.stops, 1);
	assert_int_equal(f.vm.residents, 1);
	assert_int_equal(f.vm.resident, 33554432);
	ask(&f, &a, "PUT", "/memory/resident",
	    "{\"resident_bytes\":9223372036854775807}");
	assert_int_equal(a.status, 204);
	assert_int_equal(f.vm.resident, INT64_MAX);
}

static void policy_is_told_and_changed(void **state)
{
	(void)state;
	struct answer a;
	const char *now;
	json_t *answer, *names;

	ask(&f, &a, "GET", "/policy", "");
	assert_int_equal(a.status, 200);
	answer = json_loads(a.body, 0, NULL);
	assert_int_equal(json_unpack(answer, "{s:s, s:o}", "policy", &now,
				     "policies", &names),
			 0);
	assert_string_equal(now, "clock");
	for (unsigned i = 0; policies[i]; i++)
		assert_string_equal(json_string_value(json_array_get(names, i)),
				    policies[i]->name);
	json_decref(answer);
	ask(&f, &a, "PUT", "/policy", "{\"policy\":\"fifo\"}");
	assert_int_equal(a.status, 204);
	assert_string_equal(f.vm.policy, "fifo");
	ask(&f, &a, "PUT", "/policy", "{\"policy\":\"best\"}");
	assert_int_equal(a.status, 400);
	assert_fault(&a, "no policy best");
	ask(&f, &a, "PUT", "/policy", "{\"policy\":7}");
	assert_int_equal(a.status, 400);
	assert_string_equal(f.vm.policy, "fifo");
}

/* Firecracker's paths and names. */
static void the_balloon_is_asked_and_tells(void **state)
{
	(void)state;
	struct answer a;

	ask(&f, &a, "PATCH", "/balloon", "{\"amount_mib\": 3}");
	assert_int_equal(a.status, 204);
	assert_int_equal(f.vm.balloon, 3 * 256);
	ask(&f, &a, "GET", "/balloon", "");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "{\"amount_mib\":3,"
				    "\"deflate_on_oom\":false,"
				    "\"stats_polling_interval_s\":0,"
				    "\"free_page_hinting\":true,"
				    "\"free_page_reporting\":true}");
	ask(&f, &a, "GET", "/balloon/statistics", "");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body,
			    "{\"target_pages\":768,\"actual_pages\":300,"
			    "\"target_mib\":3,\"actual_mib\":1,"
			    "\"inflated_pages\":11,\"deflated_pages\":0,"
			    "\"reported_pages\":0,\"hinted_pages\":0,"
			    "\"discarded_pages\":12,"
			    "\"skipped\":0,\"last_update\":1000,"
			    "\"free_memory\":4096}");
	ask(&f, &a, "PATCH", "/balloon/hinting/start", "");
	assert_int_equal(a.status, 204);
	assert_int_equal(f.vm.hints, 1);
	ask(&f, &a, "GET", "/balloon/hinting/status", "");
	assert_string_equal(a.body, "{\"host_cmd\":1,\"guest_cmd\":2}");
	ask(&f, &a, "PATCH", "/balloon", "{\"amount_mib\": -1}");
	assert_int_equal(a.status, 400);
	assert_fault(&a, "out of range");
	ask(&f, &a, "PATCH", "/balloon", "{\"amount_mib\": 4294967296}");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "PATCH", "/balloon", "{\"amount_mib\": \"3\"}");
	assert_int_equal(a.status, 400);
	f.vm.refusal = "this VM has no balloon";
	ask(&f, &a, "GET", "/balloon", "");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "GET", "/balloon/statistics", "");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "PATCH", "/balloon", "{\"amount_mib\": 4}");
	assert_int_equal(a.status, 400);
	assert_int_equal(f.vm.balloon, 3 * 256);
}

static void refusals_are_told(void **state)
{
	(void)state;
	struct answer a;

	f.vm.refusal = "8 MiB is below the floor\xff";
	ask(&f, &a, "PUT", "/memory/resident", "{\"resident_bytes\": 8388608}");
	assert_int_equal(a.status, 400);
	assert_fault(&a, "8 MiB is below the floor?");
	assert_int_equal(f.vm.residents, 0);
	ask(&f, &a, "PATCH", "/vm", "{\"state\": \"Paused\"}");
	assert_int_equal(a.status, 400);
	ask(&f, &a, "PATCH", "/vm", "{\"state\": \"Resumed\"}");
	assert_int_equal(a.status, 400);
}

/* E11: no file can be named, whatever the path. */
static void other_paths_and_methods_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *method, *target;
		int status;
		const char *allow;
	} bad[] = {
		{ "DELETE", "/", 405, "Allow: GET\r\n" },
		{ "GET", "/status/", 404, NULL },
		{ "GET", "/status?x=1", 404, NULL },
		{ "GET", "/../status", 404, NULL },
		{ "GET", "/%73tatus", 404, NULL },
		{ "OPTIONS", "*", 404, NULL },
		{ "PUT", "/status", 405, "Allow: GET\r\n" },
		{ "DELETE", "/vm", 405, "Allow: PATCH\r\n" },
		{ "DELETE", "/memory/resident", 405, "Allow: PUT\r\n" },
		{ "DELETE", "/policy", 405, "Allow: PUT\r\n" },
		{ "PUT", "/memory/audit", 405, "Allow: GET\r\n" },
		{ "PUT", "/explain/0x1000", 405, "Allow: GET\r\n" },
		{ "GET", "/explain", 404, NULL },
		{ "GET", "/explain/", 400, NULL },
		{ "GET", "/explain/0x1000/", 400, NULL },
		{ "GET", "/explain/status", 400, NULL },
		{ "BREW", "/status", 400, NULL },
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(&f, &a, bad[i].method, bad[i].target, "");
		if (a.status != bad[i].status)
			fail_msg("%s %s: %d", bad[i].method, bad[i].target,
				 a.status);
		assert_fault(&a, "");
		if (bad[i].allow)
			assert_non_null(strstr(a.head, bad[i].allow));
	}
	assert_int_equal(f.vm.statuses, 0);
	assert_int_equal(fake_deeds(&f.vm), 0);
}

static void bad_json_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *method, *target, *body, *part;
	} bad[] = {
		{ "PATCH", "/vm", "", "state" },
		{ "PATCH", "/vm", "{", "state" },
		{ "PATCH", "/vm", "{}", "state" },
		{ "PATCH", "/vm", "[]", "state" },
		{ "PATCH", "/vm", "null", "state" },
		{ "PATCH", "/vm", "{\"state\":\"paused\"}", "no such state" },
		{ "PATCH", "/vm", "{\"state\":\"Paused\\u0000\"}", "state" },
		{ "PATCH", "/vm", "{\"state\":\"Paused\xff\"}", "state" },
		{ "PATCH", "/vm", "{\"state\":\"\\ud800\"}", "state" },
		{ "PATCH", "/vm", "{\"state\":null}", "state" },
		{ "PATCH", "/vm", "{\"state\":1}", "state" },
		{ "PATCH", "/vm", "{\"state\":[\"Paused\"]}", "state" },
		{ "PATCH", "/vm", "{\"state\":\"Paused\"} x", "state" },
		{ "PATCH", "/vm", "{\"state\":\"Paused\",}", "state" },
		{ "PATCH", "/vm",
		  "{\"state\":\"Paused\",\"state\":\"Resumed\"}", "duplicate" },
		{ "PATCH", "/vm", "{\"state\":\"Paused\",\"force\":1}",
		  "force" },
		{ "PUT", "/memory/resident", "{}", "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident\":1}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":-1}",
		  "out of range" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":\"64M\"}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":1.5}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":1e3}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":1e400}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":0x10}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":007}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident", "{\"resident_bytes\":true}",
		  "resident_bytes" },
		{ "PUT", "/memory/resident",
		  "{\"resident_bytes\":9223372036854775808}", "too big" },
		{ "PUT", "/memory/resident",
		  "{\"resident_bytes\":18446744073709551616}", "too big" },
	};
	struct answer a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(&f, &a, bad[i].method, bad[i].target, bad[i].body);
		if (a.status != 400)
			fail_msg("%s: %d", bad[i].body, a.status);
		assert_fault(&a, bad[i].part);
	}
	assert_int_equal(fake_deeds(&f.vm), 0);
}

static void deep_nesting_is_refused(void **state)
{
	(void)state;
	static char body[100001];
	struct answer a;

	memset(body, '[', 60000);
	ask(&f, &a, "PATCH", "/vm", body);
	assert_int_equal(a.status, 400);
	assert_fault(&a, "depth");
	memset(body, '[', 100000);
	ask(&f, &a, "PATCH", "/vm", body);
	assert_int_equal(a.status, 413);
	assert_served(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_is_the_report),
		TEST(orders_reach_the_vm),
		TEST(policy_is_told_and_changed),
		TEST(the_balloon_is_asked_and_tells),
		TEST(refusals_are_told),
		TEST(other_paths_and_methods_are_refused),
		TEST(bad_json_is_refused_by_name),
		TEST(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
