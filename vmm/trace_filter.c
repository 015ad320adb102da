/* SPDX-License-Identifier: MIT */
#include "vmm/trace_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ept/addr.h"
#include "vmm/trace_names.h"

static bool number(const char *text, char **end, uint64_t *n)
{
	errno = 0;
	*n = strtoull(text, end, 0);
	return *text >= '0' && *text <= '9' && !errno;
}

static bool take_range(struct trace_range *r, const char *text,
		       struct complaint *why)
{
	char *end;

	r->given = number(text, &end, &r->first);
	if (r->given && *end == '-') {
		r->given =
			number(end + 1, &end, &r->last) && r->last >= r->first;
	} else {
		r->first &= ~PAGE_MASK;
		r->last = r->first | PAGE_MASK;
	}
	return (r->given && !*end) ||
	       complaint_set(why,
			     "'%.40s': want an address as in 0x1000, or "
			     "two: 0x1000-0x2fff",
			     text);
}

static bool take_gpa(struct trace_filter *f, const char *text,
		     struct complaint *why)
{
	return take_range(&f->gpa, text, why);
}

static bool take_gva(struct trace_filter *f, const char *text,
		     struct complaint *why)
{
	return take_range(&f->gva, text, why);
}

static bool take_pid(struct trace_filter *f, const char *text,
		     struct complaint *why)
{
	f->pid.given = number_parse(text, &f->pid.first);
	return f->pid.given ||
	       complaint_set(why, "'%.40s': want a number", text);
}

static const char *const kinds[] = { "stage1", "stage2", "ahead",   "age",
				     "evict",  "store",	 "discard", "missing",
				     "minor",  "table",	 "data" };

static bool take_kind(struct trace_filter *f, const char *text,
		      struct complaint *why)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(text, kinds[i]))
			f->kind = kinds[i];
	return f->kind || complaint_set(why, "'%.40s': no such kind", text);
}

static bool take_slower(struct trace_filter *f, const char *text,
			struct complaint *why)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = {
		{ "ns", 1e-3 }, { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }
	};
	char *end;
	double n = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != text && n >= 0 && !strcmp(end, units[i].unit)) {
			f->slower_us = n * units[i].us;
			return true;
		}
	return complaint_set(why, "'%.40s': want a time as in 100us", text);
}

static const struct {
	const char *name;
	bool (*take)(struct trace_filter *f, const char *text,
		     struct complaint *why);
} takers[] = {
	{ "--gpa", take_gpa },
	{ "--gva", take_gva },
	{ "--pid", take_pid },
	{ "--kind", take_kind },
	{ "--slower-than", take_slower },
};

bool trace_filter_take(struct trace_filter *f, const char *word,
		       const char *value, int *used, struct complaint *why)
{
	struct complaint what;

	*used = 0;
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		size_t len = strlen(takers[i].name);

		if (strncmp(word, takers[i].name, len) ||
		    (word[len] && word[len] != '='))
			continue;
		*used = word[len] ? 1 : 2;
		if (word[len])
			value = word + len + 1;
		if (!value)
			return complaint_set(why, "%s needs a value", word);
		return takers[i].take(f, value, &what) ||
		       complaint_set(why, "%s %s", takers[i].name, what.text);
	}
	return true;
}

static bool within(const struct trace_range *r, bool has, uint64_t v)
{
	return !r->given || (has && v >= r->first && v <= r->last);
}

static bool is_kind(const char *kind, const struct trace_event *e)
{
	if (!strcmp(kind, trace_kind_name(e->r->kind)))
		return true;
	if (e->r->kind != TRACE_STAGE2)
		return false;
	if (!strcmp(kind, "table") || !strcmp(kind, "data"))
		return e->has_gva && (*kind == 't') == (e->level > 0);
	return !strcmp(kind, trace_fault_name(e->r->fault));
}

bool trace_filter_wants(const struct trace_filter *f,
			const struct trace_file *t, const struct trace_event *e)
{
	return within(&f->gpa, e->has_gpa, e->gpa) &&
	       within(&f->gva, e->has_gva, e->gva) &&
	       (!f->pid.given || (e->has_pid && e->pid == f->pid.first)) &&
	       (!f->kind || is_kind(f->kind, e)) &&
	       trace_ticks_us(t, e->r->ticks) >= f->slower_us;
}
