/* SPDX-License-Identifier: MIT */
/* `twofold ctl VM attribute` against the API of a VM that knows what the test
 * told it. */
#include "tests/unit/api_fixture.h"
#include "tests/unit/capture.h"

#include <jansson.h>

#include "vmm/ctl.h"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, 5000);
	assert_served(&f); /* a thread that still starts is not forked well */
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static struct capture go(const char *word)
{
	return capture_run(cmd_ctl, (const char *const[]){ f.path, "attribute",
							   word, NULL });
}

/* Of one attribution after the other: a page or two of each kind. */
static const struct attribution known = {
	.n = 2,
	.process = { { .root = { 0x1c3f000, 5, ROOT_BY_VCPU },
		       .whole = true,
		       .tables = 24,
		       .own = { { 2560, 5120, 256, 512, 1, 2 } },
		       .shared = { { 128, 128, 0, 0, 0, 0 } } },
		     { .root = { 0x9000, 0, ROOT_BY_SEARCH },
		       .tables = 4,
		       .own = { { 256, 0, 0, 0, 0, 0 } } } },
	.others = 3,
	.others_own = { { 512, 256, 0, 0, 0, 0 } },
	.shared = { { 128, 128, 0, 0, 0, 0 } },
	.tables = { { 256, 256, 0, 0, 0, 0 } },
	.kernel = { { 2560, 2560, 0, 12800, 0, 0 } },
	.unreachable = { { 0, 0, 0, 256, 0, 0 } },
	.unseen = 512,
};

static void tell(struct attribution a)
{
	pthread_mutex_lock(&f.vm.telling);
	f.vm.attribution = a;
	pthread_mutex_unlock(&f.vm.telling);
}

static void it_is_a_table(void **state)
{
	static const char want[] =
		"MiB                         resident   swapped    "
		"  same      zero    shared  tables\n"
		"cr3 0x1c3f000 pid 5            10.00     20.00    "
		"  1.00      2.00      1.00      96\n"
		"cr3 0x9000 search               1.00      0.00    "
		"  0.00      0.00      0.00      16\n"
		"smaller ones                    2.00      1.00    "
		"  0.00      0.00   (3 processes)\n"
		"shared by processes             0.50      0.50    "
		"  0.00      0.00\n"
		"processes' tables               1.00      1.00    "
		"  0.00      0.00\n"
		"kernel                         10.00     10.00    "
		"  0.00     50.00\n"
		"unreachable                     0.00      0.00    "
		"  0.00      1.00\n"
		"2.0 MiB of swap were not searched for processes\n"
		"not all tables could be read\n";
	struct attribution all = known;

	(void)state;
	tell(known);
	struct capture c = go(NULL);
	assert_string_equal(c.out, want);
	assert_string_equal(c.err, "");
	assert_int_equal(c.status, 0);
	capture_free(&c);

	all.whole = true;
	all.unseen = all.others = 0;
	tell(all);
	c = go(NULL);
	assert_null(strstr(c.out, "not"));
	assert_null(strstr(c.out, "smaller"));
	capture_free(&c);
}

static json_int_t bytes_of(json_t *report, const char *account,
			   const char *state)
{
	return json_integer_value(
		json_object_get(json_object_get(report, account), state));
}

static void json_has_all_of_it(void **state)
{
	json_t *report, *p;

	(void)state;
	tell(known);
	struct capture c = go("--json");
	report = json_loads(c.out, 0, NULL);
	assert_non_null(report);
	assert_true(json_is_false(json_object_get(report, "whole")));
	p = json_array_get(json_object_get(report, "processes"), 0);
	assert_string_equal(json_string_value(json_object_get(p, "cr3")),
			    "0x1c3f000");
	assert_string_equal(json_string_value(json_object_get(p, "by")),
			    "vcpu");
	assert_int_equal(json_integer_value(json_object_get(p, "pid")), 5);
	assert_int_equal(json_integer_value(json_object_get(p, "tables_bytes")),
			 96 << 10);
	assert_int_equal(bytes_of(p, "own", "swapped_bytes"), 20 << 20);
	assert_int_equal(bytes_of(p, "own", "same_filled_bytes"), 1 << 20);
	assert_int_equal(bytes_of(p, "own", "file_bytes"), 4096);
	assert_int_equal(bytes_of(p, "own", "lost_bytes"), 8192);
	assert_int_equal(bytes_of(p, "shared", "resident_bytes"), 1 << 19);
	p = json_array_get(json_object_get(report, "processes"), 1);
	assert_true(json_is_null(json_object_get(p, "pid")));
	assert_int_equal(bytes_of(report, "kernel", "zero_bytes"), 50 << 20);
	assert_int_equal(bytes_of(report, "unreachable", "zero_bytes"),
			 1 << 20);
	json_decref(report);
	capture_free(&c);
}

/* As much as there can be, and all numbers long ones. */
static void the_largest_report_is_an_answer(void **state)
{
	struct attribution all = { .n = ATTRIBUTE_PROCESSES };
	struct attribute_process p = { .root = { UINT64_C(0xffffffffff000),
						 UINT32_MAX, ROOT_BY_SEARCH },
				       .tables = UINT64_C(1) << 30 };
	char *text;

	(void)state;
	for (unsigned i = 0; i < OWNED_STATES; i++)
		p.own.n[i] = p.shared.n[i] = UINT64_C(1) << 24;
	for (unsigned i = 0; i < ATTRIBUTE_PROCESSES; i++)
		all.process[i] = p;
	text = attribution_json(&all);
	assert_non_null(text);
	assert_in_range(strlen(text), 30000, HTTP_BYTES - 1024);
	free(text);
	assert_int_equal(attribution_print("{}"), -1);
	assert_int_equal(attribution_print("nonsense"), -1);
}

static void a_refusal_is_told(void **state)
{
	(void)state;
	atomic_store(&f.vm.refusal, "no vCPU uses 4-level tables just now");
	struct capture c = go(NULL);
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "4-level tables just now\n"));
	capture_free(&c);
	atomic_store(&f.vm.refusal, NULL);
	c = go("--yaml");
	assert_int_equal(c.status, 2);
	capture_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_a_table),
		TEST(json_has_all_of_it),
		TEST(the_largest_report_is_an_answer),
		TEST(a_refusal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
