/* SPDX-License-Identifier: MIT */
/* `twofold replay` over files made here. */
#include <jansson.h>
#include <zlib.h>

#include "ept/policy.h"
#include "tests/unit/replay_fixture.h"

/* The CSV's lines behind its head, without the path. */
static void assert_rows(const char *policies_, const char *frames,
			const char *want)
{
	struct capture c = replay(policies_, frames, "csv");
	char got[1024] = "";
	char *line = strtok(c.out, "\n");

	assert_int_equal(c.status, 0);
	assert_string_equal(line,
			    "trace,policy,frames,references,misses,miss_ratio");
	while ((line = strtok(NULL, "\n"))) {
		size_t used = strlen(got);

		assert_memory_equal(line, path, strlen(path));
		snprintf(got + used, sizeof(got) - used, "%s\n",
			 line + strlen(path) + 1);
	}
	assert_string_equal(got, want);
	capture_free(&c);
}

static void text_is_replayed(void **state)
{
	(void)state;
	write_text(belady);
	assert_rows("fifo,lru,opt", "3,4,5,1000000000000",
		    "fifo,3,12,9,0.7500\n"
		    "lru,3,12,10,0.8333\n"
		    "opt,3,12,7,0.5833\n"
		    "fifo,4,12,10,0.8333\n"
		    "lru,4,12,8,0.6667\n"
		    "opt,4,12,6,0.5000\n"
		    "fifo,5,12,5,0.4167\n"
		    "lru,5,12,5,0.4167\n"
		    "opt,5,12,5,0.4167\n"
		    "fifo,1000000000000,12,5,0.4167\n"
		    "lru,1000000000000,12,5,0.4167\n"
		    "opt,1000000000000,12,5,0.4167\n");
	struct capture c = replay("lru", "3", "csv");
	assert_string_equal(c.err, ""); /* text has every reference */
	capture_free(&c);
}

static void gzip_is_allowed(void **state)
{
	gzFile file = gzopen(path, "w");

	(void)state;
	assert_int_equal(gzwrite(file, belady, sizeof(belady) - 1),
			 sizeof(belady) - 1);
	assert_int_equal(gzclose(file), Z_OK);
	assert_rows("clock", "3", "clock,3,12,10,0.8333\n");
}

/* More than one buffer, so that lines lie across their border. */
static void long_texts_are_read_whole(void **state)
{
	enum { LINES = 100000 };
	char *text = malloc(LINES * 16), *end = text;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		end += sprintf(end, "r 0x%x\n", i % 1000 * 4099);
	write_file(text, (size_t)(end - text));
	assert_rows("lru", "999,1000",
		    "lru,999,100000,100000,1.0000\n"
		    "lru,1000,100000,1000,0.0100\n");
	free(text);
}

static void all_is_every_policy_and_opt(void **state)
{
	struct capture c;
	unsigned n = 0;

	(void)state;
	write_text(belady);
	c = replay("all", "3", "table");
	assert_int_equal(c.status, 0);
	strtok(c.out, "\n");
	for (char *line; (line = strtok(NULL, "\n")); n++) {
		const char *name = policies[n] ? policies[n]->name : "opt";

		assert_memory_equal(line, name, strlen(name));
		if (!policies[n])
			break;
	}
	assert_null(policies[n]);
	capture_free(&c);
	c = capture_run(cmd_replay,
			(const char *const[]){ path, "--frames=3", NULL });
	assert_non_null(strstr(c.out, "opt "));
	assert_non_null(strstr(c.out, " 0.7500    1.286\n")); /* fifo to opt */
	capture_free(&c);
	c = replay("fifo", "3", "table");
	assert_non_null(strstr(c.out, " 0.7500        -\n"));
	capture_free(&c);
}

static void json_says_the_same(void **state)
{
	struct capture c;
	const char *kind, *policy;
	json_int_t references, pages, frames, misses;
	double ratio;

	(void)state;
	write_text(belady);
	c = replay("fifo", "4", "json");
	json_t *j = json_loads(c.out, 0, NULL);
	assert_non_null(j);
	assert_int_equal(
		json_unpack(j, "{s:s, s:I, s:I, s:[{s:s, s:I, s:I, s:f}]}",
			    "kind", &kind, "references", &references, "pages",
			    &pages, "results", "policy", &policy, "frames",
			    &frames, "misses", &misses, "miss_ratio", &ratio),
		0);
	assert_string_equal(kind, "text");
	assert_string_equal(policy, "fifo");
	assert_int_equal(references, 12);
	assert_int_equal(pages, 5);
	assert_int_equal(frames, 4);
	assert_int_equal(misses, 10);
	assert_true(ratio > 0.8333 && ratio < 0.8334);
	json_decref(j);
	capture_free(&c);
}

static void odd_names_are_quoted(void **state)
{
	char odd[96];

	(void)state;
	write_text("r 0x1\n");
	snprintf(odd, sizeof(odd), "%s,\"x", path);
	assert_int_equal(rename(path, odd), 0);
	struct capture c = capture_run(
		cmd_replay,
		(const char *const[]){ odd, "--frames", "1", "--policy", "lru",
				       "--format", "csv", NULL });
	assert_int_equal(rename(odd, path), 0);
	snprintf(odd, sizeof(odd), "\n\"%s,\"\"x\",lru,1,1,1,1.0000\n", path);
	assert_non_null(strstr(c.out, odd));
	capture_free(&c);
}

static void traces_are_faults_only(void **state)
{
	(void)state;
	for (uint32_t version = 1; version <= 2; version++) {
		write_trace(version, 0, sizeof(faults));
		assert_rows("lru,fifo", "1,2",
			    "lru,1,4,4,1.0000\nfifo,1,4,4,1.0000\n"
			    "lru,2,4,3,0.7500\nfifo,2,4,3,0.7500\n");
		struct capture c = replay("lru", "1", "csv");
		assert_non_null(strstr(c.err, "faults only"));
		assert_non_null(strstr(c.err,
				       "4 references in 1.000 s, to 3 of "
				       "the 4 pages mapped (75.0%)\n"));
		capture_free(&c);
	}
}

static void dense_traces_say_so(void **state)
{
	(void)state;
	write_trace(2, 25, sizeof(faults));
	assert_rows("opt", "2", "opt,2,4,3,0.7500\n");
	struct capture c = replay("lru", "1", "json");
	assert_non_null(strstr(c.err, "dense: "));
	assert_non_null(strstr(c.err, "within 25 ms"));
	assert_non_null(strstr(c.out, "\"kind\": \"dense\""));
	assert_non_null(strstr(c.out, "\"refs_ms\": 25"));
	capture_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_is_replayed),
		TEST(gzip_is_allowed),
		TEST(long_texts_are_read_whole),
		TEST(all_is_every_policy_and_opt),
		TEST(json_says_the_same),
		TEST(odd_names_are_quoted),
		TEST(traces_are_faults_only),
		TEST(dense_traces_say_so),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
