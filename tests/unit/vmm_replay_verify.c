/* SPDX-License-Identifier: MIT */
/* `twofold replay --verify` on runs that could have been, and could not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "ept/trace.h"
#include "tests/unit/capture.h"
#include "vmm/replay.h"

static char path[64];

/* What a policy is told: first in, first out of three. */
static struct trace_record story[16];
static unsigned records;

static void add(unsigned what, uint64_t frame, uint64_t value)
{
	story[records] = (struct trace_record){
		.tsc = 100 + records,
		.kind = TRACE_DECISION,
		.fault = (uint8_t)what,
		.decision = { .frame = frame,
			      .value = value,
			      .gpa = frame << 12,
			      .name = "fifo" },
	};
	records++;
}

static void add_eviction(uint64_t frame)
{
	story[records] = (struct trace_record){ .tsc = 100 + records,
						.kind = TRACE_EVICT,
						.stage2.gpa = frame << 12 };
	records++;
}

static int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/twofold-verify-XXXXXX");
	records = 0;
	add(DECISION_POLICY, 0, 8);
	add(DECISION_CAPACITY, 0, 3);
	add(DECISION_INSERT, 4, 0);
	add(DECISION_INSERT, 2, 0);
	add(DECISION_INSERT, 7, 0);
	add(DECISION_CHOOSE, 4, 0);
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct capture verify(void)
{
	const struct trace_header h = { .magic = TRACE_MAGIC,
					.version = TRACE_VERSION,
					.record_bytes = 64,
					.tsc_hz = 1000000 };
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fwrite(&h, sizeof(h), 1, file);
	fwrite(story, sizeof(story[0]), records, file);
	assert_int_equal(fclose(file), 0);
	return capture_run(cmd_replay,
			   (const char *const[]){ "--verify", path, NULL });
}

static void assert_says(int status, const char *what)
{
	struct capture c = verify();
	const char *text = status ? c.err : c.out;

	if (c.status != status || !strstr(text, what))
		fail_msg("%d, %s%s: want %d, %s", c.status, c.out, c.err,
			 status, what);
	capture_free(&c);
}

static void the_same_again(void **state)
{
	(void)state;
	add_eviction(4);
	add(DECISION_CHOOSE, 2, 0);
	add_eviction(2);
	assert_says(0, "2 decisions of fifo: the same order, the same answers; "
		       "2 evictions");
}

static void another_answer_differs(void **state)
{
	(void)state;
	add(DECISION_CHOOSE, 7, 0);
	assert_says(1, "gives up another page");
}

static void an_eviction_out_of_turn_is_told(void **state)
{
	(void)state;
	add_eviction(7);
	assert_says(1, "gpa 0x7000 was evicted");
}

/* A page that was touched in time is the policy's again. */
static void a_rescued_page_must_stay(void **state)
{
	(void)state;
	add(DECISION_INSERT, 4, 0);
	add_eviction(4);
	assert_says(1, "gpa 0x4000 was evicted");
}

/* Policies change; what is taken away for another reason may leave, too. */
static void a_run_may_have_more_policies(void **state)
{
	(void)state;
	add(DECISION_POLICY, 0, 8);
	add(DECISION_CAPACITY, 0, 3);
	add(DECISION_INSERT, 7, 0);
	add(DECISION_REMOVE, 7, 0);
	add_eviction(7);
	assert_says(0, "1 decisions");
}

static void damage_is_told(void **state)
{
	static const struct {
		unsigned what;
		uint64_t frame, value;
	} bad[] = {
		{ DECISION_INSERT, 2, 0 },   { DECISION_INSERT, 8, 0 },
		{ DECISION_TOUCH, 4, 0 },    { DECISION_CHOOSE, 99, 0 },
		{ DECISION_CAPACITY, 0, 0 }, { 99, 0, 0 },
	};
	unsigned before = records;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		records = before;
		add(bad[i].what, bad[i].frame, bad[i].value);
		assert_says(1, "damaged");
	}
	records = 0;
	add_eviction(1);
	assert_says(2, "no decisions");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(the_same_again),
		TEST(another_answer_differs),
		TEST(an_eviction_out_of_turn_is_told),
		TEST(a_rescued_page_must_stay),
		TEST(a_run_may_have_more_policies),
		TEST(damage_is_told),
	};

	return cmocka_run_group_tests_name("replay --verify", tests, NULL,
					   NULL);
}
