/* SPDX-License-Identifier: MIT */
/*
 * What a trace record costs: without a trace, into one that goes nowhere, into
 * one in memory, and beside them a write of as many bytes to ftrace's
 * trace_marker. Its time is one that the service of the fault has anyway, for
 * its latency and the history of the page; what reading the clock for the
 * record alone would cost more is told, too. One line each: name, nanoseconds.
 * tests/bench/trace reads them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ept/trace.h"

#define RECORDS (1u << 20)
#define ROUNDS	9

static const char *const markers[] = {
	"/sys/kernel/tracing/trace_marker",
	"/sys/kernel/debug/tracing/trace_marker"
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Not inlined away: each is made as stage 2 makes it. */
static void emit_at(struct trace *t, uint64_t tsc, unsigned i)
{
	struct trace_record r = { .tsc = tsc,
				  .kind = TRACE_STAGE2,
				  .stage2.gpa = i };

	__asm__ volatile("" : "+m"(r));
	trace_emit(t, &r);
}

static void emit(struct trace *t, unsigned n)
{
	uint64_t tsc = trace_now();

	for (unsigned i = 0; i < n; i++)
		emit_at(t, tsc + i, i);
}

static void emit_timed(struct trace *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		emit_at(t, trace_now(), i);
}

/* What stays when there is no trace: the question whether there is. */
static void ask(struct trace *t, unsigned n)
{
	static struct trace_record r;

	for (unsigned i = 0; i < n; i++) {
		__asm__ volatile("" : "+r"(t));
		trace_emit(t, &r);
	}
}

static void count(struct trace *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__asm__ volatile("" : "+r"(t));
}

static void clock_only(struct trace *t, unsigned n)
{
	uint64_t sum = 0;

	(void)t;
	for (unsigned i = 0; i < n; i++)
		sum += trace_now();
	__asm__ volatile("" : : "r"(sum));
}

static double best(struct trace *t, void (*run)(struct trace *t, unsigned n))
{
	double least = 1e9;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now_ns(), ns;

		run(t, RECORDS);
		ns = (now_ns() - start) / RECORDS;
		least = ns < least ? ns : least;
	}
	return least;
}

/* What was read from a file in memory gives its memory back, as in a VM. */
static int memory = -1;

static void emit_and_forget(struct trace *t, unsigned n)
{
	for (unsigned i = 0; i < n; i += n / 64) {
		off_t end = lseek(memory, 0, SEEK_END);

		emit(t, n / 64);
		fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  end + 1);
	}
}

static double into(int fd, void (*run)(struct trace *t, unsigned n))
{
	struct trace *t;
	double ns;

	if (fd < 0 || trace_create(&t, fd, 0, 0))
		exit(1);
	ns = best(t, run);
	trace_close(t);
	return ns;
}

static double marker(void)
{
	char text[sizeof(struct trace_record)];
	double start;
	int fd = -1;

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 2 && fd < 0; i++)
		fd = open(markers[i], O_WRONLY);
	if (fd < 0)
		return 0;
	start = now_ns();
	for (unsigned i = 0; i < RECORDS / 16; i++)
		if (write(fd, text, sizeof(text)) < 0)
			return 0;
	return (now_ns() - start) / (RECORDS / 16);
}

int main(void)
{
	double loop = best(NULL, count);

	printf("off %.2f\n", best(NULL, ask) - loop);
	printf("clock %.2f\n", best(NULL, clock_only));
	printf("nowhere %.2f\n", into(open("/dev/null", O_WRONLY), emit));
	printf("timed %.2f\n", into(open("/dev/null", O_WRONLY), emit_timed));
	memory = memfd_create("trace", MFD_CLOEXEC);
	printf("memory %.2f\n", into(memory, emit_and_forget));
	printf("marker %.2f\n", marker());
	return 0;
}
