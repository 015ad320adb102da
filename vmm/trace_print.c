/* SPDX-License-Identifier: MIT */
/*
 * `twofold trace print`: one line a record, in the order of time. A line is
 * the time, the kind, and key=value pairs; which of them depends on the kind.
 * Only a guest's fault says "stage1" or "stage2", so that grep -c counts them.
 */
#include "vmm/trace.h"

#include <assert.h>
#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "guest/abi.h"
#include "vmm/trace_file.h"
#include "vmm/trace_names.h"

#define USEC_PER_SEC 1000000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const fault_names[] = {
	[TRACE_MISSING] = "missing",
	[TRACE_MINOR] = "minor",
};

static const char *const why_names[] = {
	[LAB_FAULT_DEMAND_ZERO] = "demand_zero",
	[LAB_FAULT_DEMAND_FILE] = "demand_file",
	[LAB_FAULT_COW] = "cow",
	[LAB_FAULT_STACK] = "stack",
	[LAB_FAULT_KERNEL] = "kernel",
	[LAB_FAULT_REFUSED] = "refused",
	[LAB_FAULT_SWAP_IN] = "swap_in",
};

static const char *name_in(const char *const names[], size_t count, uint32_t i)
{
	return i < count && names[i] ? names[i] : "unknown";
}

/* The time since the run began, which a record may precede. */
static void print_time(const struct trace_header *h, uint64_t tsc)
{
	bool before = tsc < h->tsc_start;
	uint64_t ticks = before ? h->tsc_start - tsc : tsc - h->tsc_start;
	const char *sign = before ? "-" : "";
	char text[48];

	if (h->tsc_hz) {
		uint64_t us = (uint64_t)((unsigned __int128)ticks *
					 USEC_PER_SEC / h->tsc_hz);
		snprintf(text, sizeof(text), "%s%" PRIu64 ".%06" PRIu64, sign,
			 us / USEC_PER_SEC, us % USEC_PER_SEC);
	} else {
		snprintf(text, sizeof(text), "%s%" PRIu64, sign, ticks);
	}
	printf("%14s ", text);
}

static void print_latency(const struct trace_header *h, uint32_t ticks)
{
	if (h->tsc_hz)
		printf(" latency=%.1fus",
		       (double)ticks * USEC_PER_SEC / (double)h->tsc_hz);
	else
		printf(" latency=%" PRIu32 "ticks", ticks);
}

/* Where in swap, of records that have been there. */
static void print_slot(const struct trace_record *r)
{
	if (r->stage2.tier != TRACE_NO_TIER)
		printf(" tier=%u", r->stage2.tier);
	printf(" slot=%" PRIu64, r->stage2.slot);
}

static void print_source(const struct trace_record *r, const char *key)
{
	printf(" %s=%s", key, trace_source_name(r->source));
	if (r->source == TRACE_SOURCE_SWAP || r->source == TRACE_SOURCE_CLEAN)
		print_slot(r);
}

static void print_entries(const struct trace_record *r)
{
	printf(" before=0x%016" PRIx64 " after=0x%016" PRIx64, r->stage2.before,
	       r->stage2.after);
}

/* Bits of a page fault's error code: SDM volume 3, 4.7. */
static void print_error(uint32_t error)
{
	printf(" error=0x%" PRIx32 "(%s,%s,%s)", error,
	       error & 4 ? "user" : "kernel",
	       error & 16 ? "fetch" : (error & 2 ? "write" : "read"),
	       error & 1 ? "protection" : "absent");
}

static void print_stage1(const struct trace_header *h,
			 const struct trace_record *r)
{
	printf(" gva=0x%016" PRIx64 " rip=0x%016" PRIx64 " cr3=0x%016" PRIx64
	       " pid=%" PRIu32,
	       r->stage1.gva, r->stage1.rip, r->stage1.cr3, r->stage1.pid);
	print_error(r->stage1.error);
	printf(" why=%s", name_in(why_names, COUNT(why_names), r->stage1.why));
	print_latency(h, r->ticks);
}

static void print_gpa(const struct trace_record *r)
{
	printf(" gpa=0x%016" PRIx64, r->stage2.gpa);
}

static void print_stage2(const struct trace_header *h,
			 const struct trace_record *r)
{
	print_gpa(r);
	printf(" kind=%s access=%s",
	       name_in(fault_names, COUNT(fault_names), r->fault),
	       r->stage2.write ? "write" : "read");
	print_source(r, "source");
	print_latency(h, r->ticks);
	print_entries(r);
	printf(" thread=%" PRIu32, r->stage2.thread);
}

static void print_ahead(const struct trace_header *h,
			const struct trace_record *r)
{
	(void)h;
	print_gpa(r);
	print_source(r, "source");
	print_entries(r);
}

static void print_age(const struct trace_header *h,
		      const struct trace_record *r)
{
	(void)h;
	print_gpa(r);
	print_entries(r);
}

static void print_evict(const struct trace_header *h,
			const struct trace_record *r)
{
	(void)h;
	print_gpa(r);
	print_source(r, "to");
	print_entries(r);
}

static void print_discard(const struct trace_header *h,
			  const struct trace_record *r)
{
	(void)h;
	print_gpa(r);
	print_source(r, "by");
	print_entries(r);
}

static void print_store(const struct trace_header *h,
			const struct trace_record *r)
{
	print_gpa(r);
	print_slot(r);
	print_latency(h, r->ticks);
}

static const struct kind {
	const char *name;
	void (*print)(const struct trace_header *h,
		      const struct trace_record *r);
} kinds[] = {
	[TRACE_STAGE1] = { "stage1", print_stage1 },
	[TRACE_STAGE2] = { "stage2", print_stage2 },
	[TRACE_AHEAD] = { "ahead", print_ahead },
	[TRACE_AGE] = { "age", print_age },
	[TRACE_EVICT] = { "evict", print_evict },
	[TRACE_STORE] = { "store", print_store },
	[TRACE_DISCARD] = { "discard", print_discard },
};
static_assert(COUNT(kinds) == TRACE_KINDS, "every kind has a line");

static void print_record(const struct trace_header *h,
			 const struct trace_record *r)
{
	print_time(h, r->tsc);
	if (r->kind < COUNT(kinds) && kinds[r->kind].print) {
		fputs(kinds[r->kind].name, stdout);
		kinds[r->kind].print(h, r);
		putchar('\n');
	} else {
		printf("unknown kind %u\n", r->kind);
	}
}

static int print(const char *path)
{
	struct trace_file t;
	const char *wrong = trace_file_read(&t, path);

	if (wrong)
		warnx("trace: %s: %s", path, wrong);
	for (size_t i = 0; !wrong && i < t.records; i++)
		print_record(&t.header, t.record[i]);
	if (fflush(stdout) || ferror(stdout))
		err(1, "trace: standard output");
	if (!wrong && t.rest)
		warnx("trace: %s: cut short: %zu bytes behind record %zu", path,
		      t.rest, t.records);
	int failed = wrong || t.rest;
	trace_file_free(&t);
	return failed;
}

int cmd_trace(int argc, char **argv)
{
	static char buffer[1 << 16];

	if (argc != 2 || strcmp(argv[0], "print")) {
		warnx("trace: want `print FILE`; `twofold trace --help` says "
		      "more");
		return 2;
	}
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	return print(argv[1]);
}
