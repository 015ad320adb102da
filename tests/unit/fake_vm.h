/* SPDX-License-Identifier: MIT */
/* A VM that only writes down what it was asked, for the control API: its
 * orders. What it tells is in fake_tell.h. */
#ifndef TESTS_FAKE_VM_H
#define TESTS_FAKE_VM_H

#include "tests/unit/fake_tell.h"

static inline bool fake_resident(void *vm, uint64_t bytes,
				 struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->resident, bytes);
	atomic_fetch_add(&f->residents, 1);
	fake_say(f, "cap %g\n", (double)bytes / (1 << 20));
	return true;
}

static inline void fake_inject(void *vm, unsigned i,
			       const struct injection *what)
{
	struct fake_vm *f = vm;

	pthread_mutex_lock(&f->telling);
	f->injection[i] = *what;
	pthread_mutex_unlock(&f->telling);
	fake_say(f, "%s %s %g %g %g %g %g%s%s\n", i ? "file" : "ram",
		 inject_delay_name[what->delay], what->delay_us, what->shape,
		 what->slow_us, what->slow_share, what->error_rate,
		 what->full ? " full" : "", what->stall ? " stall" : "");
}

/* Pause, or go on; *@asked counts that. */
static inline bool fake_run(struct fake_vm *f, bool run, atomic_int *asked,
			    struct complaint *why)
{
	atomic_fetch_add(asked, 1);
	if (!fake_verdict(f, why))
		return false;
	f->running = run;
	fake_say(f, run ? "resume\n" : "pause\n");
	return true;
}

static inline bool fake_pause(void *vm, struct complaint *why)
{
	return fake_run(vm, false, &((struct fake_vm *)vm)->pauses, why);
}

static inline bool fake_resume(void *vm, struct complaint *why)
{
	return fake_run(vm, true, &((struct fake_vm *)vm)->resumes, why);
}

static inline void fake_stop(void *vm)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->stops, 1);
}

static inline bool fake_balloon_target(void *vm, uint64_t pages,
				       struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->balloon, pages);
	fake_say(f, "balloon %g\n", (double)pages / 256);
	return true;
}

static inline bool fake_balloon_hints(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->hints, 1);
	return fake_verdict(vm, why);
}

static inline bool fake_policy(void *vm, const struct policy_ops *policy,
			       struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_store(&f->policy, policy->name);
	return true;
}

static inline bool fake_trace_start(void *vm, bool registers,
				    struct complaint *why)
{
	struct fake_vm *f = vm;

	if (!fake_verdict(f, why))
		return false;
	atomic_fetch_add(&f->traces, 1);
	atomic_fetch_add(&f->registers, registers);
	return true;
}

static inline bool fake_trace_stop(void *vm, struct complaint *why)
{
	atomic_fetch_add(&((struct fake_vm *)vm)->trace_stops, 1);
	return fake_verdict(vm, why);
}

static inline struct vm_control fake_control(struct fake_vm *vm)
{
	return (struct vm_control){ .vm = vm,
				    .events = vm->events,
				    .status = fake_status,
				    .census = fake_census,
				    .resident = fake_resident,
				    .resident_cap = fake_resident_cap,
				    .injected = fake_injected,
				    .inject = fake_inject,
				    .pause = fake_pause,
				    .resume = fake_resume,
				    .stop = fake_stop,
				    .policy = fake_policy,
				    .whatif = fake_whatif,
				    .explain = fake_explain,
				    .audit = fake_audit,
				    .attribute = fake_attribute,
				    .trace_start = fake_trace_start,
				    .trace_stop = fake_trace_stop,
				    .trace_fetch = fake_trace_fetch,
				    .balloon = fake_balloon,
				    .balloon_target = fake_balloon_target,
				    .balloon_hints = fake_balloon_hints };
}

/* How often the VM was asked to do something. */
static inline int fake_deeds(struct fake_vm *vm)
{
	return vm->residents + vm->pauses + vm->resumes + vm->stops;
}

#endif
