/* SPDX-License-Identifier: MIT */
/* What the VM of fake_vm.h tells when it is asked: mostly always the same. */
#ifndef TESTS_FAKE_TELL_H
#define TESTS_FAKE_TELL_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "vmm/api.h"
#include "vmm/events.h"

struct fake_vm {
	_Atomic(uint64_t) resident, balloon; /* bytes; pages */
	_Atomic(uint64_t) progress;
	atomic_int residents, pauses, resumes, stops, statuses, hints;
	atomic_int traces, registers, trace_stops;
	pthread_mutex_t telling; /* of what it answers: */
	struct audit_report audit;
	struct explain explain; /* but for the address */
	struct attribution attribution;
	struct injection injection[2]; /* into two tiers: ram and file */
	struct events *events; /* NULL: none */
	_Atomic(const char *) policy; /* the one it was given last */
	_Atomic(const char *) refusal; /* not NULL: say no, because of this */
	atomic_bool running; /* else it is paused */
	char said[4096]; /* what it did, a line each */
	size_t said_len;
};

/* It did this; what does not fit is not told. */
__attribute__((format(printf, 2, 3))) static inline void fake_say(
	struct fake_vm *vm, const char *format, ...)
{
	va_list args;
	size_t room;

	pthread_mutex_lock(&vm->telling);
	room = sizeof(vm->said) - vm->said_len;
	va_start(args, format);
	int n = vsnprintf(vm->said + vm->said_len, room, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < room)
		vm->said_len += (size_t)n;
	pthread_mutex_unlock(&vm->telling);
}

static inline void fake_tell_audit(struct fake_vm *vm, struct audit_report r)
{
	pthread_mutex_lock(&vm->telling);
	vm->audit = r;
	pthread_mutex_unlock(&vm->telling);
}

static inline void fake_tell_explain(struct fake_vm *vm, struct explain e)
{
	pthread_mutex_lock(&vm->telling);
	vm->explain = e;
	pthread_mutex_unlock(&vm->telling);
}

static inline bool fake_verdict(struct fake_vm *vm, struct complaint *why)
{
	const char *refusal = atomic_load(&vm->refusal);

	if (refusal)
		snprintf(why->text, sizeof(why->text), "%s", refusal);
	return !refusal;
}

static inline void fake_status(void *vm, struct status *st)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->statuses, 1);
	*st = (struct status){
		.name = "fake",
		.accel = "kvm",
		.stage2 = "ept",
		.state = ((struct fake_vm *)vm)->running ? "running" : "paused",
		.reason = "a test",
		.policy = "clock",
		.guest.page_faults = 7,
		.guest.progress = ((struct fake_vm *)vm)->progress,
		.memory = { .size_bytes = 256 << 20,
			    .resident_limit_bytes = 64 << 20,
			    .resident_bytes = 63 << 20,
			    .resident_peak_bytes = 64 << 20 },
		.faults = { .missing = 1000,
			    .minor = 200,
			    .latency_us = { 1.25, 50, 900 } },
		.pages = { 1, 2, 3, 4, 5, 6, 8 },
		.tier[0] = { "ram",
			     { .pages = 25600,
			       .raw_bytes = 100 << 20,
			       .stored_bytes = 33 << 20 } },
		.tiers = 1,
		.placement = { "spin", 9.25, 2.5, 11, 6.125, 8.5, 4.25, 70,
			       30 },
		.pressure = { { 1.5, 0.75, 0.25, 123456 },
			      { 0.5, 0.25, 0.125, 45678 } },
		.ladder = { [RUNG_COMPRESSED] = { 4, 16384, 1500 } },
		.slo = { 0.5, 48 << 20, 9, 2 },
		.device[0] = { .name = "blk",
			       .requests = 12,
			       .bytes = 3 << 20,
			       .errors = 1 },
		.device[1] = { .name = "rng" },
		.devices = 2,
	};
}

/* Six MiB of RAM, and a cell of a shared file. */
static inline void fake_census(void *vm, struct census *c)
{
	(void)vm;
	*c = (struct census){
		.cell_pages = 512,
		.regions = 2,
		.region = { { { 0 }, 0, 3, false },
			    { { 1 << 20 }, 3, 1, true } },
		.cells = 4,
		.cell = { { 0, 512 },
			  { 12, 100, 50, 50, 300 },
			  { 512 },
			  { 511, 0, 0, 0, 0, 1 } },
	};
}

/* As it is before anybody sets it: 64 MiB. */
static inline uint64_t fake_resident_cap(void *vm, uint64_t *floor)
{
	uint64_t set = atomic_load(&((struct fake_vm *)vm)->resident);

	*floor = 3 << 20;
	return set ? set : 64 << 20;
}

static inline bool fake_injected(void *vm, unsigned i, struct injected *to)
{
	static const char *const tier[] = { "ram", "file" };
	struct fake_vm *f = vm;

	if (i >= 2)
		return false;
	*to = (struct injected){ .tier = tier[i], .count.failed = i };
	pthread_mutex_lock(&f->telling);
	to->now = f->injection[i];
	pthread_mutex_unlock(&f->telling);
	return true;
}

static inline bool fake_audit(void *vm, struct audit_report *r,
			      struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*r = f->audit;
	pthread_mutex_unlock(&f->telling);
	return true;
}

static inline bool fake_attribute(void *vm, struct attribution *a,
				  struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*a = f->attribution;
	pthread_mutex_unlock(&f->telling);
	return true;
}

/* Of the guest one statistic is known: its free memory. */
static inline bool fake_balloon(void *vm, struct balloon_report *r, bool fresh,
				struct complaint *why)
{
	struct fake_vm *f = vm;

	*r = (struct balloon_report){
		.target_pages = (uint32_t)atomic_load(&f->balloon),
		.actual_pages = 300,
		.reporting = true,
		.hint_host = 1,
		.hint_guest = 2,
		.inflated = 11,
		.discarded = 12,
		.updated_s = fresh ? 1000 : 0,
		.known = 1u << 4,
		.value = { [4] = 4096, [5] = 9 },
	};
	return fake_verdict(f, why);
}

static inline bool fake_whatif(void *vm, struct whatif *w,
			       struct complaint *why)
{
	*w = (struct whatif){
		.mrc = { .references = { 100, 6400 }, .first = { 10, 640 } },
		.shadow = { .references = { 100, 6400 },
			    .policies = 2,
			    .policy = { { "fifo", { 40, 2560 } },
					{ "arc", { 25, 1600 } } } },
	};
	for (unsigned i = 0; i < MRC_POINTS; i++)
		w->mrc.point[i] = (struct mrc_point){
			.frames = 256 * (i + 1),
			.misses = { 90 - i, 64 * (90 - i) },
		};
	return fake_verdict(vm, why);
}

#define FAKE_RECORDS 1500

/* Each record's time is its number; two were lost. */
static inline bool fake_trace_fetch(void *vm, uint64_t first,
				    struct trace_part *part,
				    struct complaint *why)
{
	if (!fake_verdict(vm, why))
		return false;
	if (first > FAKE_RECORDS)
		return complaint_set(why, "there are no more");
	*part = (struct trace_part){
		.state = LIVE_RECORDING,
		.header = { .magic = TRACE_MAGIC,
			    .version = TRACE_VERSION,
			    .record_bytes = 64 },
		.records = FAKE_RECORDS,
		.lost = 2,
		.first = first,
		.n = FAKE_RECORDS - first,
	};
	if (part->n > TRACE_PART)
		part->n = TRACE_PART;
	for (uint64_t i = 0; i < part->n; i++)
		part->record[i] = (struct trace_record){ .tsc = first + i,
							 .kind = TRACE_AGE };
	return true;
}

static inline bool fake_is_ram(void *ctx, gpa_t at)
{
	(void)ctx;
	return at.v < 256 << 20;
}

static inline bool fake_explain(void *vm, const char *address,
				struct explain *e, struct complaint *why)
{
	struct fake_vm *f = vm;
	struct explain asked;

	if (!fake_verdict(f, why) ||
	    !explain_parse(address, fake_is_ram, NULL, &asked, why))
		return false;
	pthread_mutex_lock(&f->telling);
	*e = f->explain;
	pthread_mutex_unlock(&f->telling);
	e->virtual = asked.virtual;
	e->gva = asked.gva;
	e->gpa = asked.gpa;
	e->has_gpa = asked.has_gpa;
	return true;
}

#endif
