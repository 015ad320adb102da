/* SPDX-License-Identifier: MIT */
/* What `twofold trace` makes of a file whose records belong together. */
#include <jansson.h>

#include "guest/abi.h"
#include "tests/unit/trace_fixture.h"

#define HZ 1000000000u /* a tick a nanosecond */
#define US 1000u

static const struct trace_record sample[] = {
	/* Another thread's buffer: what belongs to a fault comes first. */
	{ .tsc = START + 90 * US,
	  .kind = TRACE_REGISTERS,
	  .how = TRACE_BY_REGISTERS,
	  .number = 2,
	  .registers = { .gva = TRACE_NOWHERE,
			 .cr3 = 0x6000,
			 .rip = 0x400abc,
			 .wake = 7 * US } },
	/* It had gone on. */
	{ .tsc = START + 91 * US,
	  .kind = TRACE_REGISTERS,
	  .how = TRACE_BY_REGISTERS,
	  .number = 1,
	  .registers = { .gva = TRACE_NOWHERE,
			 .cr3 = 0x5000,
			 .rip = TRACE_NOWHERE,
			 .wake = 1 * US } },
	{ .tsc = START + 10 * US,
	  .kind = TRACE_STAGE1,
	  .ticks = 3 * US,
	  .stage1 = { .gva = 0x7000,
		      .rip = 0x400def,
		      .cr3 = 0x5000,
		      .error = 6,
		      .pid = 7,
		      .why = LAB_FAULT_COW } },
	{ .tsc = START + 20 * US,
	  .kind = TRACE_STAGE2,
	  .fault = TRACE_MISSING,
	  .source = TRACE_SOURCE_SWAP,
	  .ticks = 120 * US,
	  .number = 1,
	  .stage2 = { .gpa = 0x3000, .slot = 5, .tier = 0, .vcpu = 1 } },
	{ .tsc = START + 20 * US,
	  .kind = TRACE_WHO,
	  .how = TRACE_BY_RING | TRACE_BY_WALK,
	  .level = 2,
	  .ticks = 500,
	  .number = 1,
	  .queued = 1 * US,
	  .who = { .gva = 0x200000,
		   .cr3 = 0x5000,
		   .victim = 0x9000,
		   .pid = 7,
		   .wait = 2 * US,
		   .fetch = 30 * US,
		   .install = 4 * US } },
	{ .tsc = START + 60 * US,
	  .kind = TRACE_STAGE2,
	  .fault = TRACE_MINOR,
	  .source = TRACE_SOURCE_MEMORY,
	  .ticks = 2 * US,
	  .number = 2,
	  .stage2 = { .gpa = 0x4000,
		      .tier = TRACE_NO_TIER,
		      .vcpu = 2,
		      .write = 1 } },
	{ .tsc = START + 60 * US,
	  .kind = TRACE_WHO,
	  .how = TRACE_BY_RING | TRACE_BY_WALK,
	  .number = 2,
	  .ticks = 1500,
	  .who = { .gva = 0x8000,
		   .cr3 = 0x6000,
		   .victim = TRACE_NOWHERE,
		   .pid = 9 } },
	{ .tsc = START + 70 * US,
	  .kind = TRACE_EVICT,
	  .source = TRACE_SOURCE_CLEAN,
	  .stage2 = { .gpa = 0x9000, .slot = 1, .tier = 0 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "faults.missing", 10, 11 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "faults.minor", 0, 1 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "pages.clean_dropped", 4, 5 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "pages.mapped_ahead", 0, 0 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "pages.swapped_out", 0, 0 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "pages.zero_elided", 2, 2 } },
	{ .tsc = START + 95 * US,
	  .kind = TRACE_COUNTER,
	  .counter = { "trace.lost", 0, 3 } },
};

#define EVENTS 4

static int write_sample(void **state)
{
	if (setup(state))
		return -1;
	write_file(good_header(HZ), sample, sizeof(sample));
	return 0;
}

/* `trace VERB path MORE...`; the status is 0. */
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

static struct capture run(const char *const words[])
{
	struct capture c = capture_run(cmd_trace, words);

	if (c.status)
		fail_msg("status %d: %s", c.status, c.err);
	return c;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("%s: has no %s", text, part);
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_line_has_all_that_is_known(void **state)
{
	struct capture c = RUN("print", path);

	(void)state;
	assert_int_equal(lines(c.out), EVENTS);
	assert_has(c.out, " vcpu=0 ref=table2 gva=0x0000000000200000 pid=7"
			  " cr3=0x0000000000005000 by=ring+registers+walk"
			  " victim=0x0000000000009000 queued=1.0us wait=2.0us"
			  " fetch=30.0us install=4.0us wake=1.0us\n");
	assert_has(c.out, " vcpu=1 ref=data gva=0x0000000000008000 pid=9"
			  " cr3=0x0000000000006000 rip=0x0000000000400abc"
			  " by=ring+registers+walk queued=0.0us wait=0.0us"
			  " fetch=0.0us install=0.0us wake=7.0us\n");
	assert_has(c.err, "3 records were lost");
	capture_free(&c);
}

static void filters_choose(void **state)
{
	static const struct {
		const char *option, *value;
		unsigned events;
	} cases[] = {
		{ "--kind", "stage2", 2 },     { "--kind", "missing", 1 },
		{ "--kind", "table", 1 },      { "--kind", "data", 1 },
		{ "--pid", "7", 2 },	       { "--pid", "8", 0 },
		{ "--gpa", "0x3abc", 1 },      { "--gpa", "0x3000-0x4fff", 2 },
		{ "--gva", "0x7fff", 1 },      { "--slower-than", "100us", 1 },
		{ "--slower-than", "2us", 3 }, { "--slower-than", "1ms", 0 },
		{ "--slower-than", "0s", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct capture c =
			RUN("print", path, cases[i].option, cases[i].value);

		if (lines(c.out) != cases[i].events)
			fail_msg("%s %s: %s", cases[i].option, cases[i].value,
				 c.out);
		capture_free(&c);
	}
}

static void bad_words_are_named(void **state)
{
	static const char *const bad[][5] = {
		{ "print", path, "--gpa", "x", NULL },
		{ "print", path, "--gpa=5-4", NULL },
		{ "print", path, "--pid", NULL },
		{ "print", path, "--kind", "nothing", NULL },
		{ "print", path, "--slower-than", "5", NULL },
		{ "print", path, "--json", NULL },
		{ "stats", path, "again", NULL },
		{ "stats", NULL },
		{ "export", path, NULL },
		{ "export", path, "--format", "xml", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct capture c = capture_run(cmd_trace, bad[i]);

		if (c.status != 2 || !*c.err)
			fail_msg("%s %s: %d", bad[i][0], bad[i][2], c.status);
		assert_string_equal(c.out, "");
		capture_free(&c);
	}
}

static json_int_t number_at(json_t *o, const char *a, const char *b)
{
	return json_integer_value(json_object_get(json_object_get(o, a), b));
}

static void sums_are_exact(void **state)
{
	struct capture c = RUN("stats", path, "--json");
	json_t *o = json_loads(c.out, 0, NULL);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(o, "events")),
			 EVENTS);
	assert_int_equal(json_integer_value(json_object_get(o, "lost")), 3);
	assert_int_equal(number_at(o, "kinds", "stage2"), 2);
	assert_int_equal(number_at(o, "missed", "table2"), 1);
	assert_int_equal(number_at(o, "missed", "data"), 1);
	assert_int_equal(number_at(o, "known_by", "ring+registers+walk"), 2);
	assert_int_equal(number_at(o, "sources", "clean"), 1);
	assert_true(json_is_true(json_object_get(o, "totals_exact")));
	assert_true(json_real_value(json_object_get(o, "mean_cost_us")) == 1.0);
	json_decref(o);
	capture_free(&c);
	c = RUN("stats", path);
	assert_has(c.out, "4 events");
	assert_has(c.out, "missed     data 1 table2 1\n");
	assert_has(c.out, "   64 -    128         0         1 ####");
	assert_has(c.out, "records lost                3\n");
	capture_free(&c);
	c = RUN("stats", path, "--json", "--kind", "stage2");
	assert_has(c.out, "\"totals_exact\": false");
	capture_free(&c);
}

static void exports_parse(void **state)
{
	static const char *const formats[] = { "chrome", "perfetto" };
	struct capture c = RUN("export", path, "--format", "csv");

	(void)state;
	assert_int_equal(lines(c.out), 1 + EVENTS);
	assert_has(c.out,
		   "20.000,stage2,missing,read,swap,120.000,0x3000,0x200000,"
		   ",0x5000,7,0,2,0x0,0x0,0,5,0x9000,,ring+registers+walk,"
		   "1.000,2.000,30.000,4.000,1.000\n");
	capture_free(&c);
	for (unsigned i = 0; i < 2; i++) {
		json_t *o, *events, *first;

		c = RUN("export", path, "--format", formats[i]);
		o = json_loads(c.out, 0, NULL);
		events = json_object_get(o, "traceEvents");
		first = json_array_get(events, 1);
		/* And one that names the process. */
		assert_int_equal(json_array_size(events), EVENTS + 1);
		assert_string_equal(
			json_string_value(json_object_get(first, "name")),
			"stage2 missing");
		assert_true(json_real_value(json_object_get(first, "dur")) ==
			    120.0);
		assert_int_equal(
			json_integer_value(json_object_get(first, "tid")), 1);
		json_decref(o);
		capture_free(&c);
	}
}

/* Nothing in the page is replaced but its data, and they are JSON. */
static void the_page_has_its_data(void **state)
{
	struct capture c = RUN("report", path);
	char *begin = strstr(c.out, "id=\"data\">");
	char *end = begin ? strstr(begin, "</script>") : NULL;
	json_t *o, *faults;

	(void)state;
	assert_non_null(end);
	*end = '\0';
	o = json_loads(begin + strlen("id=\"data\">"), 0, NULL);
	assert_non_null(o);
	faults = json_object_get(o, "faults");
	assert_int_equal(json_array_size(faults), 2);
	assert_int_equal(json_array_size(json_object_get(o, "top_code")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "top_pages")), 2);
	assert_int_equal(number_at(o, "stats", "events"), EVENTS);
	json_decref(o);
	capture_free(&c);
}

#define VERB(name) cmocka_unit_test_setup_teardown(name, write_sample, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		VERB(a_line_has_all_that_is_known),
		VERB(filters_choose),
		VERB(bad_words_are_named),
		VERB(sums_are_exact),
		VERB(exports_parse),
		VERB(the_page_has_its_data),
	};

	return cmocka_run_group_tests_name("trace verbs", tests, NULL, NULL);
}
