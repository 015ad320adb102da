/* SPDX-License-Identifier: MIT */
/* Which events of a trace stand out. */
#include <stdlib.h>

#include "vmm/dense.h"
#include "vmm/safe_json.h"
#include "vmm/trace_names.h"
#include "vmm/trace_plot.h"

#define TOP    20
#define FAULTS 200 /* the slowest, and as many others */

struct top {
	uint64_t at, n;
	double us;
	struct trace_event last;
};

static int by_count(const void *a, const void *b)
{
	const struct top *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static bool page_of(const struct trace_event *e, uint64_t *at)
{
	*at = e->gpa;
	return e->r->kind == TRACE_STAGE2;
}

static bool code_of(const struct trace_event *e, uint64_t *at)
{
	*at = e->rip;
	return e->has_rip;
}

static json_t *hex(bool has, uint64_t n)
{
	return has ? json_sprintf("0x%llx", (unsigned long long)n)
		   : json_null();
}

static json_t *top_json(const struct top *top, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n && i < TOP; i++) {
		const struct trace_event *e = &top[i].last;

		json_array_append_new(
			list, json_pack("{s:o, s:I, s:f, s:o, s:o}", "at",
					hex(true, top[i].at), "n",
					safe_count(top[i].n), "us", top[i].us,
					"gva", hex(e->has_gva, e->gva), "pid",
					e->has_pid ? json_integer(e->pid)
						   : json_null()));
	}
	return list;
}

/* The @key's with most events. */
static json_t *top(const struct trace_file *t, const struct trace_filter *f,
		   bool (*key)(const struct trace_event *e, uint64_t *at))
{
	struct top *top = calloc(t->records + 1, sizeof(*top));
	struct dense keys;
	bool good = dense_init(&keys) && top;
	json_t *list;

	for (size_t i = 0; good && i < t->records; i++) {
		struct trace_event e;
		uint32_t k;
		uint64_t at;

		trace_file_event(t, i, &e);
		if (!trace_filter_wants(f, t, &e) || !key(&e, &at))
			continue;
		good = dense_number(&keys, at, &k);
		if (!good)
			break;
		top[k].at = at;
		top[k].n++;
		top[k].us += trace_ticks_us(t, e.r->ticks);
		top[k].last = e;
	}
	if (good)
		qsort(top, keys.count, sizeof(*top), by_count);
	list = top_json(top, good ? keys.count : 0);
	dense_free(&keys);
	free(top);
	return list;
}

json_t *plot_top_pages(const struct trace_file *t, const struct trace_filter *f)
{
	return top(t, f, page_of);
}

json_t *plot_top_code(const struct trace_file *t, const struct trace_filter *f)
{
	return top(t, f, code_of);
}

static json_t *split_json(const struct trace_file *t,
			  const struct trace_event *e)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < TRACE_STAGES; i++)
		json_array_append_new(
			list,
			(i == STAGE_WAKE ? e->has_wake : e->has_split)
				? json_real(trace_ticks_us(t, e->ticks[i]))
				: json_null());
	return list;
}

static json_t *fault_json(const struct trace_file *t,
			  const struct trace_event *e)
{
	const struct trace_record *r = e->r;
	char how[32];

	trace_how_text(e->how, how);
	return json_pack(
		"{s:f, s:f, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, "
		"s:i, s:s, s:o}",
		"at_us", trace_file_us(t, r->tsc), "us",
		trace_ticks_us(t, r->ticks), "fault",
		trace_fault_name(r->fault), "source",
		trace_source_name(r->source), "access",
		r->stage2.write ? "write" : "read", "gpa", hex(true, e->gpa),
		"gva", hex(e->has_gva, e->gva), "cr3", hex(e->has_cr3, e->cr3),
		"rip", hex(e->has_rip, e->rip), "pid",
		e->has_pid ? json_integer(e->pid) : json_null(), "victim",
		hex(e->has_victim, e->victim), "vcpu", e->vcpu, "level",
		(int)e->level, "known_by", how, "split", split_json(t, e));
}

static int by_latency(const void *a, const void *b)
{
	const struct trace_record *x = *(const struct trace_record *const *)a;
	const struct trace_record *y = *(const struct trace_record *const *)b;

	return (x->ticks < y->ticks) - (x->ticks > y->ticks);
}

/* How slow the FAULTS-th slowest of the @n is, ticks. */
static uint32_t slow(const struct trace_record **r, size_t n)
{
	qsort(r, n, sizeof(*r), by_latency);
	return n > FAULTS ? r[FAULTS]->ticks : 0;
}

json_t *plot_faults(const struct trace_file *t, const struct trace_filter *f)
{
	const struct trace_record **r = malloc((t->records + 1) * sizeof(*r));
	json_t *list = json_array();
	size_t n = 0, k = 0;
	uint32_t least;

	for (size_t i = 0; r && i < t->records; i++)
		if (t->record[i]->kind == TRACE_STAGE2)
			r[n++] = t->record[i];
	least = r ? slow(r, n) : 0;
	for (size_t i = 0; r && i < t->records; i++) {
		struct trace_event e;

		trace_file_event(t, i, &e);
		if (e.r->kind != TRACE_STAGE2 || !trace_filter_wants(f, t, &e))
			continue;
		if (e.r->ticks > least || k++ % (n / FAULTS + 1) == 0)
			json_array_append_new(list, fault_json(t, &e));
	}
	free(r);
	return list;
}
