/* SPDX-License-Identifier: MIT */
/* A trace over the control API, from both of its ends. */
#include "tests/unit/api_each.h"

#include <jansson.h>

#include "tests/unit/capture.h"
#include "vmm/base64.h"
#include "vmm/trace.h"
#include "vmm/trace_file.h"

static void put(const char *body, int status)
{
	struct answer a;

	ask(&f, &a, "PUT", "/trace", body);
	if (a.status != status)
		fail_msg("%s: %d, %s", body, a.status, a.body);
}

static void it_begins_and_ends(void **state)
{
	(void)state;
	put("{\"state\": \"Recording\"}", 204);
	put("{\"state\": \"Recording\", \"registers\": true}", 204);
	put("{\"state\": \"Recording\", \"registers\": false}", 204);
	assert_int_equal(f.vm.traces, 3);
	assert_int_equal(f.vm.registers, 1);
	put("{\"state\": \"Stopped\"}", 204);
	assert_int_equal(f.vm.trace_stops, 1);
	put("{\"state\": \"Paused\"}", 400);
	put("{\"state\": 7}", 400);
	put("{\"registers\": true}", 400);
	put("{\"state\": \"Recording\", \"registers\": 1}", 400);
	put("{\"state\": \"Recording\", \"more\": true}", 400);
	put("", 400);
	f.vm.refusal = "no";
	put("{\"state\": \"Recording\"}", 400);
	put("{\"state\": \"Stopped\"}", 400);
	assert_int_equal(f.vm.traces, 3);
}

static void its_parts_are_what_was_asked_for(void **state)
{
	static const char *const bad[] = { "/trace/",	  "/trace/x",
					   "/trace/-1",	  "/trace/1x",
					   "/trace/1501", "/trace/1/" };
	static struct trace_record r[TRACE_PART];
	struct answer a;
	const char *text;
	size_t len;
	json_t *o;

	(void)state;
	ask(&f, &a, "GET", "/trace/1000", "");
	assert_int_equal(a.status, 200);
	o = json_loads(a.body, 0, NULL);
	text = json_string_value(json_object_get(o, "records"));
	assert_true(base64_decode(text, r, sizeof(r), &len));
	assert_int_equal(len, 500 * sizeof(r[0]));
	assert_int_equal(r[0].tsc, 1000);
	assert_int_equal(r[499].tsc, 1499);
	json_decref(o);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(&f, &a, "GET", bad[i], "");
		if (a.status != 400)
			fail_msg("%s: %d", bad[i], a.status);
	}
	ask(&f, &a, "GET", "/trace", "");
	assert_int_equal(a.status, 405);
}

/* In as many parts as it takes, into a file that can be read. */
static void record_fetches_all(void **state)
{
	char path[160];
	struct trace_file t;
	struct capture c;

	(void)state;
	snprintf(path, sizeof(path), "%s.tft", f.folder);
	c = capture_run(cmd_trace,
			(const char *const[]){ "record", f.path, "-o", path,
					       "--seconds", "1", NULL });
	if (c.status)
		fail_msg("%s", c.err);
	assert_non_null(strstr(c.out, ": 1500 records, 2 lost"));
	capture_free(&c);
	assert_null(trace_file_read(&t, path));
	assert_int_equal(t.records, FAKE_RECORDS);
	assert_int_equal(t.rest, 0);
	for (size_t i = 0; i < t.records; i++)
		assert_int_equal(t.record[i]->tsc, i);
	trace_file_free(&t);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(f.vm.traces, 1);
	assert_int_equal(f.vm.trace_stops, 1);
}

static void record_complains(void **state)
{
	static const char *const bad[][5] = {
		{ "record", NULL },
		{ "record", "a", "b", NULL },
		{ "record", "a", "--seconds", "x", NULL },
		{ "record", "a", "-o", NULL },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = capture_run(cmd_trace, bad[i]);
		assert_int_equal(c.status, 2);
		capture_free(&c);
	}
	f.vm.refusal = "it is being traced";
	c = capture_run(cmd_trace,
			(const char *const[]){ "record", f.path, "-o",
					       "/no/such/file", NULL });
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "it is being traced"));
	capture_free(&c);
}

static void base64_is_that_of_the_rfc(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = { "Z",	   "Zg=",  "Zg==Zg==",
					   "Z===", "Zm 8", "Zm9v\n" };
	char out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = base64_encode(cases[i][0], strlen(cases[i][0]));

		assert_string_equal(text, cases[i][1]);
		assert_true(base64_decode(text, out, sizeof(out), &len));
		assert_int_equal(len, strlen(cases[i][0]));
		assert_memory_equal(out, cases[i][0], len);
		free(text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(base64_decode(bad[i], out, sizeof(out), &len));
	assert_false(base64_decode("Zm9vYmFy", out, 5, &len));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_begins_and_ends),
		TEST(its_parts_are_what_was_asked_for),
		TEST(record_fetches_all),
		TEST(record_complains),
		cmocka_unit_test(base64_is_that_of_the_rfc),
	};

	return cmocka_run_group_tests_name("trace over the API", tests, NULL,
					   NULL);
}
