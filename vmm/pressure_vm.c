/* SPDX-License-Identifier: MIT */
#include "vmm/pressure_vm.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/safe_json.h"

#define MIB	 (1 << 20)
#define LEASE_MS 5000 /* what is injected lasts beyond the end, if we do not */

static int garbled(struct complaint *why)
{
	complaint_set(why, "not an answer this program knows");
	return 1;
}

/* Ask for @path and unpack one or two numbers, @more may be NULL. */
static int ask(struct pressure_vm *p, const char *path, const char *name,
	       json_int_t *number, const char *more, json_int_t *second,
	       struct complaint *why)
{
	char *text;
	int r = call_quietly(p->target, "GET", path, NULL, &text, why);
	json_t *answer;

	if (r)
		return r;
	answer = json_loads(text, 0, NULL);
	if (json_unpack(answer, "{s:I}", name, number) ||
	    (more && json_unpack(answer, "{s:I}", more, second)))
		r = garbled(why);
	json_decref(answer);
	free(text);
	return r;
}

static int tell(struct pressure_vm *p, const char *method, const char *path,
		json_t *body, struct complaint *why)
{
	char *text = json_dumps(body, JSON_COMPACT);
	int r = call_quietly(p->target, method, path, text, NULL, why);

	free(text);
	json_decref(body);
	return r;
}

int pressure_vm_sample(struct pressure_vm *p, struct sample *s,
		       struct complaint *why)
{
	char *text;
	int r = call_quietly(p->target, "GET", "/status", NULL, &text, why);

	if (r)
		return r;
	if (!sample_read(s, text))
		r = garbled(why);
	free(text);
	return r;
}

int pressure_vm_open(struct pressure_vm *p, const struct target *t,
		     struct sample *first, struct complaint *why)
{
	json_int_t cap, floor, balloon = 0;
	int r;

	*p = (struct pressure_vm){ .target = t };
	r = pressure_vm_sample(p, first, why);
	if (!r)
		r = ask(p, "/memory/resident", "resident_bytes", &cap,
			"floor_bytes", &floor, why);
	if (r)
		return r;
	/* It need not have one. */
	ask(p, "/balloon", "amount_mib", &balloon, NULL, NULL, why);
	p->size = first->size;
	p->paused = first->paused;
	p->cap = (uint64_t)cap;
	p->floor = (uint64_t)floor;
	p->balloon_mib = balloon;
	if (hog_init(&p->hog))
		p->hog.left = 0;
	return 0;
}

static int set_cap(struct pressure_vm *p, uint64_t bytes, struct complaint *why)
{
	return tell(p, "PUT", "/memory/resident",
		    json_pack("{s:I}", "resident_bytes", safe_count(bytes)),
		    why);
}

static int set_balloon(struct pressure_vm *p, int64_t mib,
		       struct complaint *why)
{
	return tell(p, "PATCH", "/balloon",
		    json_pack("{s:I}", "amount_mib", (json_int_t)mib), why);
}

static int set_state(struct pressure_vm *p, const char *state,
		     struct complaint *why)
{
	return tell(p, "PATCH", "/vm", json_pack("{s:s}", "state", state), why);
}

/* Where a dial is before it was ever moved, and what a percentage is of. */
static double dial_before(const struct pressure_vm *p, enum dial d)
{
	switch (d) {
	case DIAL_CAP:
		return (double)p->cap;
	case DIAL_BALLOON:
		return (double)p->balloon_mib * MIB;
	default:
		return 0;
	}
}

static double dial_whole(const struct pressure_vm *p, enum dial d)
{
	const double whole[DIALS] = {
		[DIAL_CAP] = (double)p->cap,
		[DIAL_BALLOON] = (double)p->size,
		[DIAL_HOG] = (double)p->hog.left,
	};

	return whole[d];
}

static void move(struct pressure_vm *p, const struct event *e, int64_t now_ms)
{
	struct dial_state *d = &p->dial[e->dial];

	if (!d->used) {
		d->now = dial_before(p, e->dial);
		d->chance = p->seed + e->dial;
		p->set[e->dial] = -1;
	}
	dial_start(d, &e->move, dial_whole(p, e->dial), now_ms);
}

/* A percentage of little may be less than a guest can live with. */
static double dial_bytes(struct pressure_vm *p, enum dial d, int64_t now_ms)
{
	double bytes = floor(dial_at(&p->dial[d], now_ms));

	if (d == DIAL_BALLOON)
		return floor(bytes / MIB) * MIB;
	if (d == DIAL_CAP && p->dial[d].move.low.percent)
		return fmax(bytes, (double)p->floor);
	return bytes;
}

static int set_dial(struct pressure_vm *p, enum dial d, double bytes,
		    struct complaint *why)
{
	switch (d) {
	case DIAL_CAP:
		return set_cap(p, (uint64_t)bytes, why);
	case DIAL_BALLOON:
		return set_balloon(p, (int64_t)(bytes / MIB), why);
	default:
		hog_set(&p->hog, (uint64_t)bytes);
		return 0;
	}
}

int pressure_vm_move(struct pressure_vm *p, int64_t now_ms,
		     struct complaint *why)
{
	for (enum dial d = 0; d < DIALS; d++) {
		double bytes;
		int r;

		if (!p->dial[d].used)
			continue;
		bytes = dial_bytes(p, d, now_ms);
		if (bytes == p->set[d])
			continue;
		r = set_dial(p, d, bytes, why);
		if (r)
			return r;
		p->set[d] = bytes;
	}
	return 0;
}

int64_t pressure_vm_due(const struct pressure_vm *p, int64_t now_ms)
{
	int64_t due = INT64_MAX;

	for (enum dial d = 0; d < DIALS; d++) {
		int64_t end = dial_due(&p->dial[d], now_ms);

		due = end < due ? end : due;
	}
	return due;
}

/* The fields of the injection that @e is about. */
static json_t *injection_of(const struct event *e)
{
	const struct injection *i = &e->injection;

	switch (e->deed) {
	case DEED_DELAY:
		return json_pack("{s:s, s:f, s:f, s:f, s:f}", "delay",
				 inject_delay_name[i->delay], "delay_us",
				 i->delay_us, "shape", i->shape, "slow_us",
				 i->slow_us, "slow_share", i->slow_share);
	case DEED_ERRORS:
		return json_pack("{s:f}", "error_rate", i->error_rate);
	case DEED_FULL:
		return json_pack("{s:b}", "full", i->full);
	default:
		return json_pack("{s:b}", "stall", i->stall);
	}
}

static int inject(struct pressure_vm *p, const struct event *e, int64_t now_ms,
		  struct complaint *why)
{
	json_t *body = injection_of(e);
	json_int_t lease = p->end_ms - now_ms + LEASE_MS;
	int r;

	if (e->tier[0])
		json_object_set_new(body, "tier", safe_text(e->tier));
	json_object_set_new(body, "seed", json_integer(safe_count(p->seed)));
	json_object_set_new(body, "lease_ms", json_integer(lease));
	r = tell(p, "PATCH", "/pressure", body, why);
	p->injected |= r <= 0; /* without an answer it may have been done */
	return r;
}

int pressure_vm_do(struct pressure_vm *p, const struct event *e, int64_t now_ms,
		   struct complaint *why)
{
	switch (e->deed) {
	case DEED_MOVE:
		move(p, e, now_ms);
		return 0;
	case DEED_PAUSE:
		return set_state(p, "Paused", why);
	case DEED_RESUME:
		return set_state(p, "Resumed", why);
	case DEED_WAIT:
	case DEED_END:
		return 0;
	default:
		return inject(p, e, now_ms, why);
	}
}

/* The first failure counts, and *why is its. */
static int worse(int r, int next, struct complaint *why,
		 const struct complaint *next_why)
{
	if (r || !next)
		return r;
	*why = *next_why;
	return next;
}

int pressure_vm_restore(struct pressure_vm *p, struct complaint *why)
{
	struct complaint c;
	struct sample s;
	int r = 0;

	hog_end(&p->hog);
	if (p->injected)
		r = tell(p, "PUT", "/pressure", json_object(), why);
	if (p->dial[DIAL_CAP].used)
		r = worse(r, set_cap(p, p->cap, &c), why, &c);
	if (p->dial[DIAL_BALLOON].used)
		r = worse(r, set_balloon(p, p->balloon_mib, &c), why, &c);
	if (pressure_vm_sample(p, &s, &c))
		return worse(r, -1, why, &c);
	if (s.paused != p->paused)
		r = worse(r, set_state(p, p->paused ? "Paused" : "Resumed", &c),
			  why, &c);
	return r;
}
