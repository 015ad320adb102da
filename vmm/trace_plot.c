/* SPDX-License-Identifier: MIT */
#include "vmm/trace_plot.h"

#include <stdlib.h>
#include <string.h>

#include "ept/addr.h"
#include "ept/pte.h"
#include "vmm/dense.h"
#include "vmm/safe_json.h"
#include "vmm/trace_names.h"

#define BINS	180
#define ROWS	96
#define BUCKETS 32
#define WINDOWS 24

/* The time that is shown. */
struct span {
	double begin, bin; /* us */
};

static struct span span_of(const struct trace_file *t)
{
	struct span s = { 0, 1 };
	double end;

	if (!t->records)
		return s;
	s.begin = trace_file_us(t, t->record[0]->tsc);
	end = trace_file_us(t, t->record[t->records - 1]->tsc);
	if (end > s.begin)
		s.bin = (end - s.begin) / BINS;
	return s;
}

static unsigned bin_of(const struct trace_file *t, struct span s, uint64_t tsc)
{
	double i = (trace_file_us(t, tsc) - s.begin) / s.bin;

	return i < 0 ? 0 : i >= BINS ? BINS - 1 : (unsigned)i;
}

/* The next event that is wanted, from *i on. False: there is none. */
static bool next(const struct trace_file *t, const struct trace_filter *f,
		 size_t *i, struct trace_event *e)
{
	while (*i < t->records) {
		trace_file_event(t, (*i)++, e);
		if (trace_filter_wants(f, t, e))
			return true;
	}
	return false;
}

static json_t *integers(const int64_t *n, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(n[i]));
	return list;
}

enum row { STAGE1, MISSING, MINOR, AHEAD, EVICT, RESIDENT, LINES };

static int line_of(const struct trace_record *r)
{
	switch (r->kind) {
	case TRACE_STAGE1:
		return STAGE1;
	case TRACE_STAGE2:
		return r->fault == TRACE_MINOR ? MINOR : MISSING;
	case TRACE_AHEAD:
		return AHEAD;
	case TRACE_EVICT:
		return EVICT;
	default:
		return -1;
	}
}

/* What the event changes in how many pages have a frame. */
static int frames_of(const struct trace_record *r)
{
	struct pte before = { r->stage2.before }, after = { r->stage2.after };

	if (r->kind == TRACE_STAGE1 || r->kind == TRACE_STORE ||
	    r->kind > TRACE_DISCARD)
		return 0;
	return pte_has_frame(after) - pte_has_frame(before);
}

static void add_up(int64_t *line, int64_t from)
{
	for (unsigned i = 0; i < BINS; i++)
		line[i] = from += line[i];
}

/* The cap at the end of each bin; null: not known. */
static json_t *caps(const struct trace_file *t, struct span s)
{
	const struct trace_record *counted =
		trace_file_counter(t, "memory.limit_pages");
	int64_t line[BINS], pages = 0;
	size_t c = 0;

	if (t->caps)
		pages = (int64_t)t->cap[0]->cap.before;
	else if (counted)
		pages = (int64_t)counted->counter.before;
	for (unsigned i = 0; i < BINS; i++) {
		while (c < t->caps && bin_of(t, s, t->cap[c]->tsc) <= i)
			pages = (int64_t)t->cap[c++]->cap.after;
		line[i] = pages;
	}
	return t->caps || counted ? integers(line, BINS) : json_null();
}

json_t *plot_timeline(const struct trace_file *t, const struct trace_filter *f)
{
	static const char *const names[LINES] = { "stage1", "missing",
						  "minor",  "ahead",
						  "evict",  "resident" };
	static int64_t line[LINES][BINS];
	const struct trace_record *resident;
	struct span s = span_of(t);
	struct trace_event e;
	json_t *o;

	memset(line, 0, sizeof(line));
	for (size_t i = 0; next(t, f, &i, &e);) {
		unsigned bin = bin_of(t, s, e.r->tsc);
		int k = line_of(e.r);

		line[RESIDENT][bin] += frames_of(e.r);
		if (k >= 0)
			line[k][bin]++;
	}
	resident = trace_file_counter(t, "memory.resident_pages");
	add_up(line[RESIDENT],
	       resident ? (int64_t)resident->counter.before : 0);
	o = json_pack("{s:f, s:f, s:o}", "begin_us", s.begin, "bin_us", s.bin,
		      "limit", caps(t, s));
	for (unsigned i = 0; i < LINES; i++)
		json_object_set_new(o, names[i], integers(line[i], BINS));
	return o;
}

static bool comes_in(const struct trace_record *r)
{
	return r->kind == TRACE_STAGE2 || r->kind == TRACE_AHEAD;
}

json_t *plot_heat(const struct trace_file *t, const struct trace_filter *f)
{
	static int64_t cell[ROWS * BINS];
	uint64_t most = PAGE_SIZE, row;
	struct span s = span_of(t);
	struct trace_event e;

	memset(cell, 0, sizeof(cell));
	for (size_t i = 0; next(t, f, &i, &e);)
		if (comes_in(e.r) && e.gpa > most)
			most = e.gpa;
	row = (most / ROWS / PAGE_SIZE + 1) * PAGE_SIZE;
	for (size_t i = 0; next(t, f, &i, &e);)
		if (comes_in(e.r))
			cell[e.gpa / row * BINS + bin_of(t, s, e.r->tsc)]++;
	return json_pack("{s:i, s:i, s:I, s:o}", "columns", BINS, "rows", ROWS,
			 "row_bytes", safe_count(row), "cells",
			 integers(cell, ROWS * BINS));
}

static unsigned bucket_of(double us)
{
	unsigned i = 0;

	while (i < BUCKETS - 1 && us >= (double)(UINT64_C(1) << i))
		i++;
	return i;
}

json_t *plot_latency(const struct trace_file *t, const struct trace_filter *f)
{
	struct {
		uint64_t n;
		double us[TRACE_STAGES];
	} bucket[BUCKETS] = { 0 };
	json_t *list = json_array();
	struct trace_event e;

	for (size_t i = 0; next(t, f, &i, &e);) {
		unsigned b = bucket_of(trace_ticks_us(t, e.r->ticks));

		if (e.r->kind != TRACE_STAGE2)
			continue;
		bucket[b].n++;
		for (unsigned k = 0; k < TRACE_STAGES; k++)
			bucket[b].us[k] += trace_ticks_us(t, e.ticks[k]);
	}
	for (unsigned b = 0; b < BUCKETS; b++) {
		json_t *us = json_array();

		for (unsigned k = 0; k < TRACE_STAGES; k++)
			json_array_append_new(us, json_real(bucket[b].us[k]));
		json_array_append_new(
			list, json_pack("{s:I, s:I, s:o}", "to_us",
					(json_int_t)1 << b, "n",
					safe_count(bucket[b].n), "us", us));
	}
	return list;
}

/*
 * A page is in the working set of a window w for as long as w behind each of
 * its uses, or until the next: the sum of min(w, gap), by the whole time.
 */
struct working_set {
	double window[WINDOWS], sum[WINDOWS];
	double *last; /* by the page's number; use */
	size_t room;
	struct dense pages;
};

static void add_gap(struct working_set *w, double gap)
{
	for (unsigned i = 0; i < WINDOWS; i++)
		w->sum[i] += gap < w->window[i] ? gap : w->window[i];
}

static bool use(struct working_set *w, uint64_t gpa, double now)
{
	uint32_t known = w->pages.count, page;

	if (!dense_number(&w->pages, gpa >> PAGE_SHIFT, &page))
		return false;
	if (page >= w->room) {
		size_t room = w->room ? 2 * w->room : 1024;
		double *more = reallocarray(w->last, room, sizeof(*more));

		if (!more)
			return false;
		w->last = more;
		w->room = room;
	}
	if (page < known)
		add_gap(w, now - w->last[page]);
	w->last[page] = now;
	return true;
}

json_t *plot_working_set(const struct trace_file *t,
			 const struct trace_filter *f)
{
	struct working_set w = { .last = NULL };
	struct span s = span_of(t);
	double whole = s.bin * BINS;
	json_t *list = json_array();
	struct trace_event e;
	bool good = dense_init(&w.pages);

	for (unsigned i = 0; i < WINDOWS; i++)
		w.window[i] = whole / (double)(1u << (WINDOWS - 1 - i));
	for (size_t i = 0; good && next(t, f, &i, &e);)
		if (comes_in(e.r))
			good = use(&w, e.gpa, trace_file_us(t, e.r->tsc));
	for (uint32_t i = 0; good && i < w.pages.count; i++)
		add_gap(&w, s.begin + whole - w.last[i]);
	for (unsigned i = 0; good && i < WINDOWS; i++)
		json_array_append_new(list, json_pack("[f, f]", w.window[i],
						      w.sum[i] / whole));
	free(w.last);
	dense_free(&w.pages);
	return list;
}
