/* SPDX-License-Identifier: MIT */
/* What `twofold replay` refuses: in one line that says where. */
#include <zlib.h>

#include "tests/unit/replay_fixture.h"

static void bad_lines_are_named(void **state)
{
	static const char *const bad[] = {
		"x 0x1",
		"r 1",
		"r",
		"r ",
		"r 0x",
		"r0x1",
		"r 0xg",
		"r 0x1 ",
		"r 0x1 0",
		" r 0x1",
		"R 0x1",
		"",
		"r 0x1\r",
		"# words",
		"r 0X1",
		"r -0x1",
		"r 0x1ffffffffffffffff",
		"r 0x00000000000000001",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "r 0x1\nw 0x2\n%s\nr 0x3\n",
			 bad[i]);
		write_text(text);
		assert_refused(replay("lru", "3", "csv"), 2, "line 3: '");
	}
	write_file("r 0x1\nr 0x2\0\n", 13);
	assert_refused(replay("lru", "3", "csv"), 2, "line 2: '");
	write_text("\033[31m");
	assert_refused(replay("lru", "3", "csv"), 2, "line 1: '?[31m'");
}

static void a_line_without_end_is_bad(void **state)
{
	const size_t len = 200000;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '0', len);
	memcpy(text, "r 0x1\nr 0x", 10);
	write_file(text, len);
	assert_refused(replay("lru", "3", "csv"), 2, "line 2: 'r 0x000");
	free(text);
}

static void no_reference_is_no_trace(void **state)
{
	(void)state;
	write_text("");
	assert_refused(replay("lru", "3", "csv"), 2, "no reference");
}

static void damaged_gzip_is_told(void **state)
{
	uint8_t bytes[4096];
	char text[7 * 256 + 1] = "";
	gzFile file = gzopen(path, "w");
	size_t len;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		sprintf(text + 7 * i, "r 0x%02x\n", i * 167 % 256);
	assert_int_equal(gzwrite(file, text, 7 * 256), 7 * 256);
	assert_int_equal(gzclose(file), Z_OK);
	FILE *f = fopen(path, "r");
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	write_file(bytes, len - 20); /* cut */
	assert_refused(replay("lru", "3", "csv"), 2, "line ");
	bytes[len / 2] ^= 0x10;
	write_file(bytes, len);
	assert_refused(replay("lru", "3", "csv"), 2, "line ");
}

static void words_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *word[6], *say;
	} cases[] = {
		{ { NULL }, "TRACE" },
		{ { path, NULL }, "--frames" },
		{ { path, "--frames", NULL }, "needs a value" },
		{ { path, "--frames", "0", NULL }, "1 or more" },
		{ { path, "--frames", "", NULL }, "1 or more" },
		{ { path, "--frames", "3,", NULL }, "1 or more" },
		{ { path, "--frames", "4K", NULL }, "1 or more" },
		{ { path, "--frames", "-1", NULL }, "1 or more" },
		{ { path, "--frames", "99999999999999999999", NULL },
		  "1 or more" },
		{ { path, "--frames", "3", "--policy", "mru", NULL },
		  "clock fifo lru 2q arc s3fifo sieve random opt" },
		{ { path, "--frames", "3", "--policy", "lru,", NULL },
		  "--policy ''" },
		{ { path, "--frames", "3", "--format", "xml", NULL },
		  "table, csv or json" },
		{ { path, "--frames", "3", "--colour", NULL }, "--colour" },
		{ { path, "--frames", "3", "more", NULL }, "'more'" },
	};

	write_text(belady);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(capture_run(cmd_replay, cases[i].word), 2,
			       cases[i].say);
	assert_refused(capture_run(cmd_replay,
				   (const char *const[]){
					   "/no/file", "--frames", "3", NULL }),
		       1, "/no/file: No such file");
	assert_refused(capture_run(cmd_replay,
				   (const char *const[]){ "/tmp", "--frames",
							  "3", NULL }),
		       1, "/tmp: ");
}

static void damaged_traces_are_refused(void **state)
{
	gzFile file;

	(void)state;
	write_trace(TRACE_VERSION + 1, 0, sizeof(faults));
	assert_refused(replay("lru", "3", "csv"), 2, "another version");
	write_trace(2, 0, sizeof(faults) - 1);
	assert_refused(replay("lru", "3", "csv"), 2,
		       "63 bytes behind record 8");
	write_trace(2, 0, 0);
	assert_refused(replay("lru", "3", "csv"), 2, "no reference");
	file = gzopen(path, "w");
	gzwrite(file, &(uint64_t){ TRACE_MAGIC }, 8);
	assert_int_equal(gzclose(file), Z_OK);
	assert_refused(replay("lru", "3", "csv"), 2, "gunzip");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_lines_are_named),
		TEST(a_line_without_end_is_bad),
		TEST(no_reference_is_no_trace),
		TEST(damaged_gzip_is_told),
		TEST(words_are_checked),
		TEST(damaged_traces_are_refused),
	};

	return cmocka_run_group_tests_name("replay, bad", tests, NULL, NULL);
}
