/* SPDX-License-Identifier: MIT */
/*
 * GET /metrics held to the text format 0.0.4 by a reader that takes nothing
 * else: a HELP and a TYPE line for each family, then its samples and no
 * others'; names, labels and escapes as the format has them; no sample twice;
 * counters end in _total, a histogram's buckets only grow.
 */
#include "tests/unit/api_fixture.h"

#include <ctype.h>
#include <math.h>

#include "vmm/metrics.h"

#define SAMPLES 400

struct family {
	char name[80], type[16];
	double last; /* of a histogram's buckets */
};

static struct reader {
	struct family family;
	char seen[SAMPLES][160]; /* names with labels */
	double value[SAMPLES];
	unsigned samples, families;
} reader;

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && !strcmp(text + len - tail, end);
}

/* A name of the format at @at; what follows it. */
static const char *read_name(const char *at)
{
	assert_true(isalpha((unsigned char)*at) || *at == '_');
	while (isalnum((unsigned char)*at) || *at == '_')
		at++;
	return at;
}

/* {name="value",...}: what follows it. */
static const char *read_labels(const char *at)
{
	if (*at != '{')
		return at;
	do {
		at = read_name(at + 1);
		assert_memory_equal(at, "=\"", 2);
		for (at += 2; *at != '"'; at++) {
			assert_true(*at && *at != '\n');
			if (*at == '\\')
				assert_non_null(strchr("\\\"n", *++at));
		}
	} while (*++at == ',');
	assert_int_equal(*at, '}');
	return at + 1;
}

static void read_family(const char *line)
{
	struct family *f = &reader.family;
	char name[80];

	if (!strncmp(line, "# HELP ", 7)) {
		assert_int_equal(sscanf(line + 7, "%79s %*s", f->name), 1);
		assert_int_equal(line[strlen(line) - 1], '.');
		*f->type = 0;
		f->last = 0;
		reader.families++;
		return;
	}
	assert_int_equal(sscanf(line, "# TYPE %79s %15s", name, f->type), 2);
	assert_string_equal(name, f->name);
	assert_int_equal(ends_with(name, "_total"),
			 !strcmp(f->type, "counter"));
	if (strcmp(f->type, "counter") && strcmp(f->type, "gauge"))
		assert_string_equal(f->type, "histogram");
}

/* Does a sample of @name belong to the family? */
static bool belongs(const char *name)
{
	const char *tail = name + strlen(reader.family.name);

	if (strncmp(name, reader.family.name, strlen(reader.family.name)))
		return false;
	if (strcmp(reader.family.type, "histogram"))
		return !*tail;
	return !strcmp(tail, "_bucket") || !strcmp(tail, "_sum") ||
	       !strcmp(tail, "_count");
}

static void read_sample(const char *line)
{
	const char *name_end = read_name(line), *end = read_labels(name_end);
	char name[80], *rest;
	double value;

	assert_int_equal(*end, ' ');
	value = strtod(end + 1, &rest);
	assert_true(rest > end + 1 && !*rest && isfinite(value) && value >= 0);
	snprintf(name, sizeof(name), "%.*s", (int)(name_end - line), line);
	if (!*reader.family.type || !belongs(name))
		fail_msg("not of family %s: %s", reader.family.name, line);
	if (ends_with(name, "_bucket")) {
		assert_true(value >= reader.family.last);
		reader.family.last = value;
	}
	assert_true(reader.samples < SAMPLES);
	snprintf(reader.seen[reader.samples], sizeof(reader.seen[0]), "%.*s",
		 (int)(end - line), line);
	for (unsigned i = 0; i < reader.samples; i++)
		assert_string_not_equal(reader.seen[i],
					reader.seen[reader.samples]);
	reader.value[reader.samples++] = value;
}

/* Read all of @text, which is written to. */
static void read_all(char *text)
{
	char *line;

	memset(&reader, 0, sizeof(reader));
	assert_int_equal(text[strlen(text) - 1], '\n');
	text[strlen(text) - 1] = 0;
	while ((line = strsep(&text, "\n"))) {
		if (*line == '#')
			read_family(line);
		else
			read_sample(line);
	}
}

static double value_of(const char *sample)
{
	for (unsigned i = 0; i < reader.samples; i++)
		if (!strcmp(reader.seen[i], sample))
			return reader.value[i];
	fail_msg("no %s", sample);
	return 0;
}

static void a_status_becomes_samples(void **state)
{
	struct status st;
	char *text;

	(void)state;
	fake_status(&(struct fake_vm){ .statuses = 0 }, &st);
	st.faults.served = 7;
	st.faults.sum_us = 1500;
	st.faults.bucket[1] = 4;
	st.faults.bucket[8] = 2;
	st.wall_us = 2500000;
	text = metrics_text(&st);
	read_all(text);
	free(text);
	assert_true(reader.families >= 20);
#define V(sample) value_of("twofold_" sample)
	assert_true(V("memory_resident_bytes") == 63 << 20);
	assert_true(V("faults_total{kind=\"missing\"}") == 1000);
	assert_true(V("pages_in_total{source=\"swap\"}") == 3);
	assert_true(V("swap_pages{tier=\"0\",kind=\"ram\"}") == 25600);
	assert_true(V("stall_seconds_total{kind=\"some\"}") == 0.123456);
	assert_true(V("stall_ratio{kind=\"some\",window=\"10s\"}") == 0.015);
	assert_true(V("reclaimed_pages_total{rung=\"compressed\"}") == 4);
	assert_true(V("virtio_bytes_total{slot=\"0\",device=\"blk\"}") ==
		    3 << 20);
	assert_true(V("vm_paused") == 1);
	assert_true(V("vm_uptime_seconds") == 2.5);
	assert_true(V("fault_service_seconds_bucket{le=\"0.000001\"}") == 0);
	assert_true(V("fault_service_seconds_bucket{le=\"0.000002\"}") == 4);
	assert_true(V("fault_service_seconds_bucket{le=\"0.000256\"}") == 6);
	assert_true(V("fault_service_seconds_bucket{le=\"+Inf\"}") == 7);
	assert_true(V("fault_service_seconds_count") == 7);
	assert_true(V("fault_service_seconds_sum") == 0.0015);
}

static void any_name_is_escaped(void **state)
{
	struct status st;
	char *text;

	(void)state;
	fake_status(&(struct fake_vm){ .statuses = 0 }, &st);
	st.name = "a\"b\\c\nd";
	text = metrics_text(&st);
	assert_non_null(strstr(text, "{name=\"a\\\"b\\\\c\\nd\",accel="));
	read_all(text);
	free(text);
	st.name = NULL;
	text = metrics_text(&st);
	assert_non_null(strstr(text, "{name=\"\",accel="));
	free(text);
}

static void it_is_served_as_text(void **state)
{
	struct fixture f;
	struct answer a;

	(void)state;
	fixture_start(&f, 5000);
	assert_int_equal(ask(&f, &a, "GET", "/metrics", "")->status, 200);
	assert_non_null(strstr(a.head, "Content-Type: text/plain; "
				       "version=0.0.4; charset=utf-8\r\n"));
	read_all(a.body);
	assert_true(value_of("twofold_memory_size_bytes") == 256 << 20);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_becomes_samples),
		cmocka_unit_test(any_name_is_escaped),
		cmocka_unit_test(it_is_served_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
