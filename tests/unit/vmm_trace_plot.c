/* SPDX-License-Identifier: MIT */
/* A trace as numbers to plot, of records that are made up. */
#include "tests/unit/trace_fixture.h"

#include "vmm/trace_file.h"
#include "vmm/trace_plot.h"

#define LAST 1800 /* us: 180 bins of 10 */

static struct trace_record fault(uint64_t us)
{
	return (struct trace_record){ .tsc = START + us,
				      .kind = TRACE_STAGE2,
				      .fault = TRACE_MISSING };
}

static struct trace_record cap(uint64_t us, uint64_t before, uint64_t after)
{
	return (struct trace_record){ .tsc = START + us,
				      .kind = TRACE_CAP,
				      .cap = { before, after } };
}

/* The time line's cap, of a trace of @n records. */
static json_t *limit_of(const struct trace_record *record, size_t n)
{
	static const struct trace_filter all;
	struct trace_file t;
	json_t *timeline, *limit;

	write_file(good_header(1000000), record, n * sizeof(*record));
	assert_null(trace_file_read(&t, path));
	timeline = plot_timeline(&t, &all);
	limit = json_incref(json_object_get(timeline, "limit"));
	json_decref(timeline);
	trace_file_free(&t);
	return limit;
}

static json_int_t at(json_t *limit, size_t bin)
{
	return json_integer_value(json_array_get(limit, bin));
}

/* Whatever order they were written in. */
static void the_cap_moves_with_time(void **state)
{
	(void)state;
	json_t *limit = limit_of(
		(const struct trace_record[]){ fault(0), cap(900, 50, 75),
					       cap(455, 100, 50), fault(LAST) },
		4);

	assert_int_equal(json_array_size(limit), 180);
	assert_int_equal(at(limit, 0), 100);
	assert_int_equal(at(limit, 44), 100);
	assert_int_equal(at(limit, 45), 50);
	assert_int_equal(at(limit, 89), 50);
	assert_int_equal(at(limit, 90), 75);
	assert_int_equal(at(limit, 179), 75);
	json_decref(limit);
}

static void a_cap_that_stays_is_a_counter(void **state)
{
	(void)state;
	struct trace_record r[] = { fault(0),
				    fault(LAST),
				    { .tsc = START + LAST,
				      .kind = TRACE_COUNTER,
				      .counter = { "memory.limit_pages", 64,
						   64 } } };
	json_t *limit = limit_of(r, 3);

	assert_int_equal(at(limit, 0), 64);
	assert_int_equal(at(limit, 179), 64);
	json_decref(limit);
	limit = limit_of(r, 2); /* the trace has no end */
	assert_true(json_is_null(limit));
	json_decref(limit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_cap_moves_with_time),
		TEST(a_cap_that_stays_is_a_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
