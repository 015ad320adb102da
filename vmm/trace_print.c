/* SPDX-License-Identifier: MIT */
/*
 * `twofold trace print`: one line a record, in the order of time. A line is
 * the time, the kind, and key=value pairs; which of them depends on the kind.
 * Only a guest's fault says "stage1" or "stage2", so that grep -c counts them.
 */
#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/trace_names.h"
#include "vmm/trace_verbs.h"

#define USEC_PER_SEC 1000000u

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

static void print_time_of(const struct trace_header *h, const char *what,
			  uint32_t ticks)
{
	if (h->tsc_hz)
		printf(" %s=%.1fus", what,
		       (double)ticks * USEC_PER_SEC / (double)h->tsc_hz);
	else
		printf(" %s=%" PRIu32 "ticks", what, ticks);
}

static void print_latency(const struct trace_header *h, uint32_t ticks)
{
	print_time_of(h, "latency", ticks);
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
			 const struct trace_record *r,
			 const struct trace_event *e)
{
	(void)e;
	printf(" gva=0x%016" PRIx64 " rip=0x%016" PRIx64 " cr3=0x%016" PRIx64
	       " pid=%" PRIu32,
	       r->stage1.gva, r->stage1.rip, r->stage1.cr3, r->stage1.pid);
	print_error(r->stage1.error);
	printf(" why=%s", trace_why_name(r->stage1.why));
	print_latency(h, r->ticks);
}

static void print_gpa(const struct trace_record *r)
{
	printf(" gpa=0x%016" PRIx64, r->stage2.gpa);
}

/* Who it was, and how that is known. */
static void print_who(const struct trace_event *e)
{
	char how[32];

	if (e->vcpu >= 0)
		printf(" vcpu=%d", e->vcpu);
	if (e->has_gva)
		printf(" ref=%s gva=0x%016" PRIx64, trace_level_name(e->level),
		       e->gva);
	if (e->has_pid)
		printf(" pid=%" PRIu32, e->pid);
	if (e->has_cr3)
		printf(" cr3=0x%016" PRIx64, e->cr3);
	if (e->has_rip)
		printf(" rip=0x%016" PRIx64, e->rip);
	trace_how_text(e->how, how);
	if (*how)
		printf(" by=%s", how);
	if (e->has_victim)
		printf(" victim=0x%016" PRIx64, e->victim);
}

/* Where the time went. */
static void print_split(const struct trace_header *h,
			const struct trace_event *e)
{
	for (unsigned i = 0; e->has_split && i < TRACE_STAGES; i++)
		if (i != STAGE_WAKE || e->has_wake)
			print_time_of(h, trace_stage_name(i), e->ticks[i]);
}

static void print_stage2(const struct trace_header *h,
			 const struct trace_record *r,
			 const struct trace_event *e)
{
	print_gpa(r);
	printf(" kind=%s access=%s", trace_fault_name(r->fault),
	       r->stage2.write ? "write" : "read");
	print_source(r, "source");
	print_latency(h, r->ticks);
	print_entries(r);
	printf(" thread=%" PRIu32, r->stage2.thread);
	print_who(e);
	print_split(h, e);
}

static void print_ahead(const struct trace_header *h,
			const struct trace_record *r,
			const struct trace_event *e)
{
	(void)e;
	(void)h;
	print_gpa(r);
	print_source(r, "source");
	print_entries(r);
}

static void print_age(const struct trace_header *h,
		      const struct trace_record *r, const struct trace_event *e)
{
	(void)e;
	(void)h;
	print_gpa(r);
	print_entries(r);
}

static void print_evict(const struct trace_header *h,
			const struct trace_record *r,
			const struct trace_event *e)
{
	(void)e;
	(void)h;
	print_gpa(r);
	print_source(r, "to");
	print_entries(r);
}

static void print_discard(const struct trace_header *h,
			  const struct trace_record *r,
			  const struct trace_event *e)
{
	(void)e;
	(void)h;
	print_gpa(r);
	print_source(r, "by");
	print_entries(r);
}

static void print_store(const struct trace_header *h,
			const struct trace_record *r,
			const struct trace_event *e)
{
	(void)e;
	print_gpa(r);
	print_slot(r);
	print_latency(h, r->ticks);
}

static void (*const printers[])(const struct trace_header *h,
				const struct trace_record *r,
				const struct trace_event *e) = {
	[TRACE_STAGE1] = print_stage1,	 [TRACE_STAGE2] = print_stage2,
	[TRACE_AHEAD] = print_ahead,	 [TRACE_AGE] = print_age,
	[TRACE_EVICT] = print_evict,	 [TRACE_STORE] = print_store,
	[TRACE_DISCARD] = print_discard,
};

#define PRINTERS (sizeof(printers) / sizeof(printers[0]))

static void print_event(const struct trace_header *h,
			const struct trace_event *e)
{
	const struct trace_record *r = e->r;

	print_time(h, r->tsc);
	if (r->kind < PRINTERS && printers[r->kind]) {
		fputs(trace_kind_name(r->kind), stdout);
		printers[r->kind](h, r, e);
		putchar('\n');
	} else {
		printf("unknown kind %u\n", r->kind);
	}
}

int trace_print(const struct trace_file *t, const struct trace_filter *f)
{
	static char buffer[1 << 16];
	const struct trace_record *lost = trace_file_counter(t, "trace.lost");

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	for (size_t i = 0; i < t->records; i++) {
		struct trace_event e;

		trace_file_event(t, i, &e);
		if (trace_filter_wants(f, t, &e))
			print_event(&t->header, &e);
	}
	if (lost && lost->counter.after)
		warnx("trace: %" PRIu64 " records were lost: they were not "
		      "fetched in time",
		      lost->counter.after);
	return 0;
}
