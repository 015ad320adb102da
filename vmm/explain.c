/* SPDX-License-Identifier: MIT */
/* The address as it is asked for, and the answer as JSON. */
#include "vmm/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/page_text.h"
#include "vmm/safe_json.h"
#include "vmm/trace_names.h"
#include "vmm/walk_json.h"

static bool number(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

bool explain_parse(const char *text, bool (*is_ram)(void *ctx, gpa_t at),
		   void *ctx, struct explain *e, struct complaint *why)
{
	bool gpa = !strncmp(text, "gpa:", 4), gva = !strncmp(text, "gva:", 4);
	uint64_t at;

	*e = (struct explain){ .refs = 0 };
	if (!number(text + (gpa || gva ? 4 : 0), &at))
		return complaint_set(why, "want an address as in 0x1000, "
					  "gpa:0x1000 or gva:0x1000");
	if (!gpa && !gva)
		gpa = is_ram(ctx, (gpa_t){ at });
	e->virtual = !gpa;
	e->has_gpa = gpa;
	if (gpa)
		e->gpa.v = at;
	else
		e->gva.v = at;
	return true;
}

/* Does a stored copy verify? */
static const char *copy_verdict(int error)
{
	if (!error)
		return "ok";
	return error == -EBADMSG ? "wrong" : strerror(-error);
}

/* Where a page is stored. */
static json_t *slot_json(const char *tier, slot_t slot)
{
	return json_pack("{s:s, s:I}", "tier", tier_or_none(tier), "slot",
			 safe_count(slot.v));
}

/* And what it is like there. */
static json_t *copy_json(const struct explain *e, slot_t slot)
{
	const struct swap_description *d = &e->copy;

	if (e->remote)
		return slot_json(d->tier, slot);
	return json_pack("{s:s, s:I, s:s, s:I, s:s}", "tier", d->tier, "slot",
			 safe_count(slot.v), "codec", d->codec, "bytes",
			 safe_count(d->bytes), "checksum",
			 copy_verdict(d->error));
}

static json_t *stored_json(const struct explain *e)
{
	const struct page_report *p = &e->page;

	if (pte_kind(p->entry) == PTE_STORED)
		return copy_json(e, pte_slot(p->entry));
	return p->has_copy ? copy_json(e, p->copy) : json_null();
}

static const char *what_text(enum history_what what)
{
	static const char *const text[HISTORY_KINDS] = {
		[HISTORY_MISSING] = "missing",
		[HISTORY_MINOR] = "minor",
		[HISTORY_AHEAD] = "ahead",
		[HISTORY_AGE] = "age",
		[HISTORY_EVICT] = "evict",
		[HISTORY_DISCARD] = "discard",
		[HISTORY_STORE_ERROR] = "store_error",
		[HISTORY_LOAD_ERROR] = "load_error",
	};

	return what < HISTORY_KINDS && text[what] ? text[what] : "unknown";
}

static double in_us(const struct explain *e, uint64_t ticks)
{
	return e->tsc_hz ? (double)ticks * 1e6 / (double)e->tsc_hz : 0;
}

static const char *policy_text(uint8_t number)
{
	for (uint8_t i = 0; policies[i]; i++)
		if (i == number)
			return policies[i]->name;
	return "";
}

static json_t *event_json(const struct explain *e, unsigned i)
{
	const struct history_event *h = &e->page.event[i];
	bool slot = h->tier != HISTORY_NO_TIER;

	return json_pack("{s:s, s:f, s:f, s:s, s:s, s:o}", "what",
			 what_text(h->what), "ago_us",
			 safe_real(in_us(e, e->page.now - h->tsc)), "took_us",
			 safe_real(in_us(e, h->ticks)), "source",
			 trace_source_name(h->source), "policy",
			 policy_text(h->policy), "stored",
			 slot ? slot_json(e->event_tier[i], (slot_t){ h->slot })
			      : json_null());
}

static json_t *history_json(const struct explain *e)
{
	json_t *history = json_array();

	for (unsigned i = 0; i < e->page.events; i++)
		json_array_append_new(history, event_json(e, i));
	return history;
}

/* The newest event of @a's or @b's kind. */
static const struct history_event *last(const struct explain *e,
					enum history_what a,
					enum history_what b)
{
	for (unsigned i = 0; i < e->page.events; i++)
		if (e->page.event[i].what == a || e->page.event[i].what == b)
			return &e->page.event[i];
	return NULL;
}

static double ago_s(const struct explain *e, const struct history_event *h)
{
	return in_us(e, e->page.now - h->tsc) / 1e6;
}

static void say_evicted(const struct explain *e, FILE *f)
{
	const struct history_event *h = last(e, HISTORY_EVICT, HISTORY_EVICT);

	if (!h)
		return;
	fprintf(f, "evicted %.1f s ago by %s", ago_s(e, h),
		policy_text(h->policy));
	if (h->source == TRACE_SOURCE_SHARED)
		fprintf(f, ", its bytes are in the shared copy");
	else if (h->tier == HISTORY_NO_TIER)
		fprintf(f, ", all zeros");
	else
		fprintf(f, " to %s slot %llu%s",
			tier_or_none(e->event_tier[h - e->page.event]),
			(unsigned long long)h->slot,
			h->source == TRACE_SOURCE_CLEAN ? ", where it was"
							: "");
	if (pte_kind(e->page.entry) == PTE_STORED && !e->remote)
		fprintf(f, ", %s %u bytes, checksum %s", e->copy.codec,
			e->copy.bytes, copy_verdict(e->copy.error));
	fprintf(f, "; ");
}

/* How it last came: by a fault, or along with a neighbour's. */
static void say_came(const struct explain *e, FILE *f)
{
	const struct history_event *fault =
		last(e, HISTORY_MISSING, HISTORY_MINOR);
	const struct history_event *ahead =
		last(e, HISTORY_AHEAD, HISTORY_AHEAD);

	if (fault)
		fprintf(f, "last fault %.1f us, %.1f s ago",
			in_us(e, fault->ticks), ago_s(e, fault));
	else if (ahead)
		fprintf(f, "mapped ahead of its first touch %.1f s ago",
			ago_s(e, ahead));
	else
		fprintf(f, "%s",
			e->page.lost ? "no fault remembered" : "never faulted");
}

/* Its story in one line. */
static json_t *summary_json(const struct explain *e)
{
	char text[256] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	if (f) {
		if (e->share)
			fprintf(f, "of the shared file %.80s; ", e->share);
		say_evicted(e, f);
		say_came(e, f);
		fclose(f);
	}
	return json_string(text);
}

static json_t *page_json(const struct explain *e)
{
	const struct page_report *p = &e->page;

	if (!e->ram)
		return json_null();
	return json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:I}", "gfn",
			 safe_hex(gfn_of(e->gpa).v), "state",
			 page_state(pte_kind(p->entry)), "busy", p->busy,
			 "stored", stored_json(e), "summary", summary_json(e),
			 "history", history_json(e), "events_lost",
			 safe_count(p->lost));
}

char *explain_json(const struct explain *e)
{
	json_t *report =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "gva",
			  e->virtual ? safe_hex(e->gva.v) : json_null(), "cr3",
			  e->virtual ? safe_hex(e->cr3) : json_null(), "gpa",
			  e->has_gpa ? safe_hex(e->gpa.v) : json_null(), "walk",
			  walk_json(e), "page", page_json(e));
	char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(9));

	json_decref(report);
	return text;
}
