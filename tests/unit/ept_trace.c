/* SPDX-License-Identifier: MIT */
/* The trace: what goes in comes out, once, and in order per thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/trace.h"

#define THREADS 5

static int memory_file(void)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A trace into @fd, which stays open for reading. */
static struct trace *trace_into(int fd)
{
	struct trace *t;

	assert_int_equal(trace_create(&t, dup(fd), 1234567, 25), 0);
	return t;
}

static struct trace_record record(uint32_t thread, uint64_t number)
{
	return (struct trace_record){
		.tsc = number,
		.kind = TRACE_STAGE2,
		.stage2 = { .gpa = number << 12, .thread = thread },
		.number = (uint32_t)~number,
	};
}

/* Read header and records; checks each and counts them per thread. */
static void check_file(int fd, uint64_t count[THREADS])
{
	struct trace_header h;
	struct trace_record r;
	off_t at = sizeof(h);

	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(h.magic, TRACE_MAGIC);
	assert_int_equal(h.version, 3);
	assert_int_equal(h.refs_ms, 25);
	assert_int_equal(h.record_bytes, 64);
	assert_int_equal(h.tsc_hz, 1234567);
	assert_int_not_equal(h.tsc_start, 0);
	for (unsigned i = 0; i < THREADS; i++)
		count[i] = 0;
	for (; pread(fd, &r, sizeof(r), at) == sizeof(r); at += sizeof(r)) {
		assert_in_range(r.stage2.thread, 0, THREADS - 1);
		assert_int_equal(r.tsc, count[r.stage2.thread]);
		assert_int_equal(r.stage2.gpa, r.tsc << 12);
		assert_int_equal(r.number, (uint32_t)~r.tsc);
		count[r.stage2.thread]++;
	}
	assert_int_equal(lseek(fd, 0, SEEK_END), at);
}

struct emitter {
	struct trace *trace;
	uint32_t thread;
	uint64_t records;
};

static void *emit(void *arg)
{
	struct emitter *e = arg;

	for (uint64_t i = 0; i < e->records; i++) {
		struct trace_record r = record(e->thread, i);

		trace_emit(e->trace, &r);
	}
	return NULL;
}

/* Around the size of a buffer, 1023 records, and well beyond. */
static void counts_are_exact(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 1022, 1023, 1024, 2046, 5000 };
	uint64_t count[THREADS];

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int fd = memory_file();
		struct emitter e = { trace_into(fd), 3, sizes[i] };

		emit(&e);
		assert_int_equal(trace_close(e.trace), 0);
		check_file(fd, count);
		assert_int_equal(count[3], sizes[i]);
		close(fd);
	}
}

static void a_full_buffer_is_written_at_once(void **state)
{
	int fd = memory_file();
	struct emitter e = { trace_into(fd), 0, 1023 };

	(void)state;
	assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(struct trace_header));
	emit(&e);
	assert_int_equal(lseek(fd, 0, SEEK_END),
			 sizeof(struct trace_header) + 1023 * 64);
	assert_int_equal(trace_close(e.trace), 0);
	close(fd);
}

static void no_thread_loses_a_record(void **state)
{
	int fd = memory_file();
	struct trace *t = trace_into(fd);
	struct emitter e[THREADS];
	pthread_t thread[THREADS];
	uint64_t count[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		e[i] = (struct emitter){ t, i, 20000 + i };
		assert_int_equal(pthread_create(&thread[i], NULL, emit, &e[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(trace_close(t), 0);
	check_file(fd, count);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(count[i], 20000 + i);
	close(fd);
}

static void two_traces_do_not_mix(void **state)
{
	int fd[2] = { memory_file(), memory_file() };
	struct trace *t[2] = { trace_into(fd[0]), trace_into(fd[1]) };
	uint64_t count[THREADS];

	(void)state;
	for (uint64_t i = 0; i < 3000; i++) {
		struct trace_record r = record(i % 2, i / 2);

		trace_emit(t[i % 2], &r);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(trace_close(t[i]), 0);
		check_file(fd[i], count);
		assert_int_equal(count[i], 1500);
		assert_int_equal(count[1 - i], 0);
		close(fd[i]);
	}
}

static void no_trace_takes_anything(void **state)
{
	struct trace_record r = record(0, 0);

	(void)state;
	trace_emit(NULL, &r);
}

/* What a reader gets out of a pipe, slowly. */
struct reader {
	int from, into;
};

static void *copy_slowly(void *arg)
{
	struct reader *r = arg;
	char part[1000];
	ssize_t n;

	while ((n = read(r->from, part, sizeof(part))) > 0)
		if (write(r->into, part, (size_t)n) != n)
			abort();
	return NULL;
}

/* A pipe takes 4 KiB at a time and says EAGAIN for the rest. */
static void cut_writes_lose_nothing(void **state)
{
	int pipe_fd[2], fd = memory_file();
	struct emitter e = { NULL, 1, 5000 };
	uint64_t count[THREADS];
	struct reader r;
	pthread_t thread;

	(void)state;
	assert_int_equal(pipe2(pipe_fd, O_NONBLOCK), 0);
	fcntl(pipe_fd[0], F_SETFL, 0);
	fcntl(pipe_fd[1], F_SETPIPE_SZ, 4096);
	r = (struct reader){ pipe_fd[0], fd };
	assert_int_equal(pthread_create(&thread, NULL, copy_slowly, &r), 0);
	assert_int_equal(trace_create(&e.trace, pipe_fd[1], 1234567, 25), 0);
	emit(&e);
	assert_int_equal(trace_close(e.trace), 0);
	pthread_join(thread, NULL);
	check_file(fd, count);
	assert_int_equal(count[1], 5000);
	close(pipe_fd[0]);
	close(fd);
}

static void a_full_disk_shows_at_the_start(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct trace *t;

	(void)state;
	assert_int_equal(trace_create(&t, fd, 0, 0), -ENOSPC);
	assert_int_equal(close(fd), 0); /* it is still ours */
}

/* Room for the header, two buffers and half a record. */
static void the_first_error_is_told_at_the_end(void **state)
{
	rlim_t room = sizeof(struct trace_header) + 2 * 1023 * 64 + 32;
	int fd = memory_file();
	struct emitter e = { trace_into(fd), 0, 5000 };
	struct rlimit limit;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ room, limit.rlim_max });
	emit(&e);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(trace_close(e.trace), -EFBIG);
	assert_int_equal(lseek(fd, 0, SEEK_END), room);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(a_full_buffer_is_written_at_once),
		cmocka_unit_test(no_thread_loses_a_record),
		cmocka_unit_test(two_traces_do_not_mix),
		cmocka_unit_test(no_trace_takes_anything),
		cmocka_unit_test(cut_writes_lose_nothing),
		cmocka_unit_test(a_full_disk_shows_at_the_start),
		cmocka_unit_test(the_first_error_is_told_at_the_end),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
