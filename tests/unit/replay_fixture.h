/* SPDX-License-Identifier: MIT */
/* A file of references, and `twofold replay` over it. */
#ifndef TESTS_REPLAY_FIXTURE_H
#define TESTS_REPLAY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ept/trace.h"
#include "tests/unit/capture.h"
#include "vmm/replay.h"

#define HZ 1000000000u

static char path[64];

static inline int setup(void **state)
{
	(void)state;
	strcpy(path, "/tmp/twofold-replay-XXXXXX");
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static inline int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static inline void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *text)
{
	write_file(text, strlen(text));
}

static inline struct capture replay(const char *policies_, const char *frames,
				    const char *format)
{
	return capture_run(cmd_replay,
			   (const char *const[]){ path, "--policy", policies_,
						  "--frames", frames,
						  "--format", format, NULL });
}

/* Status @status, nothing on stdout, and one line on stderr that has @say. */
static inline void assert_refused(struct capture c, int status, const char *say)
{
	if (c.status != status || !strstr(c.err, say))
		fail_msg("%d, %s: want %d, %s", c.status, c.err, status, say);
	assert_string_equal(c.out, "");
	assert_ptr_equal(strchr(c.err, '\n'), c.err + strlen(c.err) - 1);
	capture_free(&c);
}

/* 1 2 3 4 1 2 5 1 2 3 4 5, at gfns all over the place. */
static const char belady[] = "r 0x1a2b\n"
			     "w 0x0\n"
			     "r  0xffffffffffffffff\n"
			     "r\t0xABC0000000\n"
			     "w 0x1a2b\n"
			     "w 0x0\n"
			     "r 0x5\n"
			     "r 0x000001A2b\n"
			     "r 0x0\n"
			     "r 0xffffffffffffffff\n"
			     "r 0xabc0000000\n"
			     "r 0x5"; /* the last newline may be missing */

/* Faults at pages 1 2 1 3 in time, another order in the file; page 4 was only
 * mapped ahead, and page 2 was so before; what else there is does not count. */
static const struct trace_record faults[] = {
	{ .tsc = 30, .kind = TRACE_STAGE2, .stage2.gpa = 0x1008 },
	{ .tsc = HZ, .kind = TRACE_STAGE2, .stage2.gpa = 0x3000 },
	{ .tsc = 10, .kind = TRACE_STAGE2, .stage2.gpa = 0x1000 },
	{ .tsc = 11, .kind = TRACE_AHEAD, .stage2.gpa = 0x2000 },
	{ .tsc = 12, .kind = TRACE_AHEAD, .stage2.gpa = 0x4000 },
	{ .tsc = 20, .kind = TRACE_STAGE2, .stage2.gpa = 0x2fff },
	{ .tsc = 13, .kind = TRACE_STAGE1, .stage1.gva = 0x9000 },
	{ .tsc = 14, .kind = TRACE_EVICT, .stage2.gpa = 0x9000 },
	{ .tsc = HZ + 10, .kind = TRACE_AGE, .stage2.gpa = 0x9000 },
};

static inline void write_trace(uint32_t version, uint32_t refs_ms, size_t len)
{
	const struct trace_header h = { .magic = TRACE_MAGIC,
					.version = version,
					.record_bytes = 64,
					.tsc_hz = HZ,
					.refs_ms = refs_ms };
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(&h, version == 1 ? 32 : 40, 1, file), 1);
	assert_int_equal(fwrite(faults, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
