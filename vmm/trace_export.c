/* SPDX-License-Identifier: MIT */
/*
 * `twofold trace export`. Chrome's trace format (JSON Object Format, "Trace
 * Event Format", 2016) is one that ui.perfetto.dev opens, too: both names make
 * the same, one event a record: "X", with a duration, where it has one, else
 * an instant. Rows are vCPUs; what no vCPU waited for is in a row of its own.
 */
#include <err.h>
#include <inttypes.h>
#include <string.h>

#include "vmm/trace_names.h"
#include "vmm/trace_verbs.h"

/* A number that the event has, and how it is written. */
struct field {
	const char *name;
	bool has;
	enum { HEX, DECIMAL } as;
	uint64_t value;
};

#define FIELDS 13

static void fields_of(const struct trace_event *e, struct field f[FIELDS])
{
	const struct trace_record *r = e->r;
	bool stage2 = r->kind != TRACE_STAGE1;
	bool slot = stage2 && r->stage2.tier != TRACE_NO_TIER &&
		    r->kind <= TRACE_DISCARD;
	const struct field all[FIELDS] = {
		{ "gpa", e->has_gpa, HEX, e->gpa },
		{ "gva", e->has_gva, HEX, e->gva },
		{ "rip", e->has_rip, HEX, e->rip },
		{ "cr3", e->has_cr3, HEX, e->cr3 },
		{ "pid", e->has_pid, DECIMAL, e->pid },
		{ "vcpu", e->vcpu >= 0, DECIMAL, (uint64_t)e->vcpu },
		{ "level", e->has_gva && r->kind == TRACE_STAGE2, DECIMAL,
		  e->level },
		{ "before", stage2, HEX, r->stage2.before },
		{ "after", stage2, HEX, r->stage2.after },
		{ "tier", slot, DECIMAL, r->stage2.tier },
		{ "slot", slot, DECIMAL, r->stage2.slot },
		{ "victim", e->has_victim, HEX, e->victim },
		{ "error", !stage2, HEX, r->stage1.error },
	};

	memcpy(f, all, sizeof(all));
}

/* What the event is besides its kind, a word or "". */
static const char *what_of(const struct trace_record *r)
{
	if (r->kind == TRACE_STAGE1)
		return trace_why_name(r->stage1.why);
	return r->kind == TRACE_STAGE2 ? trace_fault_name(r->fault) : "";
}

static const char *source_of(const struct trace_record *r)
{
	return r->kind == TRACE_STAGE1 ? "" : trace_source_name(r->source);
}

static const char *access_of(const struct trace_record *r)
{
	bool write =
		r->kind == TRACE_STAGE1 ? r->stage1.error & 2 : r->stage2.write;

	if (r->kind != TRACE_STAGE1 && r->kind != TRACE_STAGE2)
		return "";
	return write ? "write" : "read";
}

static void csv_begin(FILE *to)
{
	struct trace_event none = { .r = &(struct trace_record){ .tsc = 0 } };
	struct field f[FIELDS];

	fputs("time_us,kind,what,access,source,latency_us", to);
	fields_of(&none, f);
	for (unsigned i = 0; i < FIELDS; i++)
		fprintf(to, ",%s", f[i].name);
	fputs(",known_by", to);
	for (unsigned i = 0; i < TRACE_STAGES; i++)
		fprintf(to, ",%s_us", trace_stage_name(i));
	fputc('\n', to);
}

static void print_field(const struct field *f, FILE *to)
{
	fprintf(to, f->as == HEX ? "0x%" PRIx64 : "%" PRIu64, f->value);
}

static void csv_event(const struct trace_file *t, const struct trace_event *e,
		      FILE *to)
{
	const struct trace_record *r = e->r;
	struct field f[FIELDS];
	char how[32];

	fprintf(to, "%.3f,%s,%s,%s,%s,%.3f", trace_file_us(t, r->tsc),
		trace_kind_name(r->kind), what_of(r), access_of(r),
		source_of(r), trace_ticks_us(t, r->ticks));
	fields_of(e, f);
	for (unsigned i = 0; i < FIELDS; i++) {
		fputc(',', to);
		if (f[i].has)
			print_field(&f[i], to);
	}
	trace_how_text(e->how, how);
	fprintf(to, ",%s", how);
	for (unsigned i = 0; i < TRACE_STAGES; i++) {
		fputc(',', to);
		if (i == STAGE_WAKE ? e->has_wake : e->has_split)
			fprintf(to, "%.3f", trace_ticks_us(t, e->ticks[i]));
	}
	fputc('\n', to);
}

static void csv_end(FILE *to, uint64_t events)
{
	(void)to;
	(void)events;
}

static void chrome_begin(FILE *to)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", to);
}

/* Addresses are strings: a JSON number has 53 bits. */
static void chrome_args(const struct trace_event *e, FILE *to)
{
	struct field f[FIELDS];
	const char *comma = "";

	fields_of(e, f);
	fputs(",\"args\":{", to);
	for (unsigned i = 0; i < FIELDS; i++) {
		if (!f[i].has)
			continue;
		fprintf(to, "%s\"%s\":\"", comma, f[i].name);
		print_field(&f[i], to);
		fputc('"', to);
		comma = ",";
	}
	if (e->r->kind != TRACE_STAGE1)
		fprintf(to, "%s\"source\":\"%s\"", comma, source_of(e->r));
	fputs("}}", to);
}

/* A first event behind the bracket has no comma: chrome_end ends the list with
 * one that is not of the trace. */
static void chrome_event(const struct trace_file *t,
			 const struct trace_event *e, FILE *to)
{
	const struct trace_record *r = e->r;
	const char *what = what_of(r);

	fprintf(to, "\n{\"name\":\"%s%s%s\",\"cat\":\"%s\",\"pid\":1,",
		trace_kind_name(r->kind), *what ? " " : "", what,
		trace_kind_name(r->kind));
	fprintf(to, "\"tid\":%d,\"ts\":%.3f,", e->vcpu + 1,
		trace_file_us(t, r->tsc));
	if (r->ticks)
		fprintf(to, "\"ph\":\"X\",\"dur\":%.3f",
			trace_ticks_us(t, r->ticks));
	else
		fputs("\"ph\":\"i\",\"s\":\"t\"", to);
	chrome_args(e, to);
	fputc(',', to);
}

static void chrome_end(FILE *to, uint64_t events)
{
	fprintf(to,
		"\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,"
		"\"args\":{\"name\":\"twofold\",\"events\":%" PRIu64 "}}]}\n",
		events);
}

static const struct format {
	const char *name;
	void (*begin)(FILE *to);
	void (*event)(const struct trace_file *t, const struct trace_event *e,
		      FILE *to);
	void (*end)(FILE *to, uint64_t events);
} formats[] = {
	{ "csv", csv_begin, csv_event, csv_end },
	{ "chrome", chrome_begin, chrome_event, chrome_end },
	{ "perfetto", chrome_begin, chrome_event, chrome_end },
};

static void export(const struct format *format, const struct trace_file *t,
		   const struct trace_filter *f, FILE *to)
{
	uint64_t events = 0;

	format->begin(to);
	for (size_t i = 0; i < t->records; i++) {
		struct trace_event e;

		trace_file_event(t, i, &e);
		if (!trace_filter_wants(f, t, &e))
			continue;
		format->event(t, &e, to);
		events++;
	}
	format->end(to, events);
}

bool trace_export(const struct trace_file *t, const struct trace_filter *f,
		  const char *format, FILE *to)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, format)) {
			export(&formats[i], t, f, to);
			return true;
		}
	warnx("trace: --format %s: want csv, chrome or perfetto", format);
	return false;
}
