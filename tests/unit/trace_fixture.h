/* SPDX-License-Identifier: MIT */
/* A trace file made here, to the byte. For tests of `twofold trace`. */
#ifndef TESTS_UNIT_TRACE_FIXTURE_H
#define TESTS_UNIT_TRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "ept/trace.h"
#include "tests/unit/capture.h"
#include "vmm/trace.h"

#define START 1000000u /* time zero, TSC */

static char path[64];

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/twofold-trace-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static struct trace_header good_header(uint64_t hz)
{
	return (struct trace_header){ .magic = TRACE_MAGIC,
				      .version = TRACE_VERSION,
				      .record_bytes = 64,
				      .tsc_hz = hz,
				      .tsc_start = START };
}

/* The file: @header, then @len bytes of @records. */
static void write_file(struct trace_header header, const void *records,
		       size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(&header, sizeof(header), 1, file), 1);
	assert_int_equal(fwrite(records, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline struct capture print(void)
{
	return capture_run(cmd_trace,
			   (const char *const[]){ "print", path, NULL });
}

static inline void assert_prints(const char *out, int status, const char *err)
{
	struct capture c = print();

	assert_string_equal(c.out, out);
	assert_int_equal(c.status, status);
	if (!*err)
		assert_string_equal(c.err, "");
	if (!strstr(c.err, err)) {
		fputs(c.err, stderr);
		fail_msg("it does not say %s", err);
	}
	/* One line, if any. */
	assert_true(!*c.err ||
		    strchr(c.err, '\n') == c.err + strlen(c.err) - 1);
	capture_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
