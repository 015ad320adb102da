/* SPDX-License-Identifier: MIT */
/* Reading a trace file: whole ones, cut ones, older ones, and other files. */
#include "tests/unit/trace_fixture.h"

#define HZ 1000000u /* a tick a microsecond */

/* One, and what may be left of another. */
static const struct trace_record sample[2] = {
	{ .tsc = START + 7,
	  .kind = TRACE_STORE,
	  .ticks = 100,
	  .stage2 = { .gpa = 0x5000, .slot = 10, .tier = TRACE_NO_TIER } },
};

static const char sample_text[] =
	"      0.000007 store gpa=0x0000000000005000 slot=10 latency=100.0us\n";

static void a_cut_record_fails_after_the_rest(void **state)
{
	(void)state;

	for (size_t cut = 1; cut < 64; cut += 31) {
		write_file(good_header(HZ), sample, 64 + cut);
		assert_prints(sample_text, 1, "cut short");
	}
	write_file(good_header(HZ), sample, 0);
	assert_prints("", 0, "");
	write_file(good_header(HZ), sample, 1);
	assert_prints("", 1, "cut short");
}

static void other_files_are_refused(void **state)
{
	(void)state;
	struct trace_header h = good_header(HZ);

	h.magic ^= 1;
	write_file(h, sample, sizeof(sample[0]));
	assert_prints("", 1, "not a trace");
	h = good_header(HZ);
	h.version++;
	write_file(h, sample, sizeof(sample[0]));
	assert_prints("", 1, "another version");
	h = good_header(HZ);
	h.record_bytes = 0;
	write_file(h, sample, sizeof(sample[0]));
	assert_prints("", 1, "wrong size");
	h = good_header(HZ);
	h.version = 0;
	write_file(h, sample, sizeof(sample[0]));
	assert_prints("", 1, "another version");
	write_file(good_header(HZ), sample, 0);
	for (off_t len = 39; len >= 0; len -= 13) {
		assert_int_equal(truncate(path, len), 0);
		assert_prints("", 1, "too short");
	}
}

/* Version 1: the header ends before refs_ms. */
static void older_traces_are_read(void **state)
{
	(void)state;
	struct trace_header h = good_header(HZ);
	FILE *file = fopen(path, "w");

	h.version = 1;
	assert_non_null(file);
	assert_int_equal(fwrite(&h, 32, 1, file), 1);
	assert_int_equal(fwrite(sample, sizeof(sample[0]), 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_prints(sample_text, 0, "");
	assert_int_equal(truncate(path, 32), 0);
	assert_prints("", 0, "");
}

static void usage_is_checked(void **state)
{
	(void)state;
	static const char *const bad[][4] = {
		{ NULL },
		{ "print", NULL },
		{ "show", "x", NULL },
		{ "print", "a", "b", NULL },
	};
	struct capture c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = capture_run(cmd_trace, bad[i]);
		assert_int_equal(c.status, 2);
		assert_string_equal(c.out, "");
		assert_non_null(strstr(c.err, "trace: "));
		capture_free(&c);
	}
	c = capture_run(cmd_trace,
			(const char *const[]){ "print", "/no/file", NULL });
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "/no/file: No such file"));
	capture_free(&c);
	c = capture_run(cmd_trace,
			(const char *const[]){ "print", "/tmp", NULL });
	assert_int_equal(c.status, 1);
	assert_non_null(strstr(c.err, "/tmp: Is a directory"));
	capture_free(&c);
}

/* Threads' buffers interleave in the file; equal times keep its order. */
static void many_records_are_sorted_stably(void **state)
{
	(void)state;
	enum { COUNT = 20000 };
	struct trace_record *r = calloc(COUNT, sizeof(*r));
	uint32_t pid = 0, seen = 0;
	uint64_t last = 0;
	unsigned seed = 11;

	assert_non_null(r);
	for (unsigned i = 0; i < COUNT; i++)
		r[i] = (struct trace_record){
			.tsc = START + (uint64_t)(rand_r(&seed) % 1000),
			.kind = TRACE_STAGE1,
			.stage1.pid = i
		};
	write_file(good_header(0), r, COUNT * sizeof(*r));
	struct capture c = print();
	for (char *l = strtok(c.out, "\n"); l; l = strtok(NULL, "\n")) {
		uint64_t at = strtoull(l, NULL, 10);
		uint32_t now =
			(uint32_t)strtoul(strstr(l, "pid=") + 4, NULL, 10);

		assert_true(at > last || (at == last && (!seen || now > pid)));
		assert_int_equal(at, r[now].tsc - START);
		last = at;
		pid = now;
		seen++;
	}
	assert_int_equal(seen, COUNT);
	capture_free(&c);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cut_record_fails_after_the_rest),
		TEST(other_files_are_refused),
		TEST(older_traces_are_read),
		TEST(usage_is_checked),
		TEST(many_records_are_sorted_stably),
	};

	return cmocka_run_group_tests_name("trace file", tests, NULL, NULL);
}
