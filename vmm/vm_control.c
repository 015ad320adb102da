/* SPDX-License-Identifier: MIT */
/* What the control API may ask of a VM: vmm/status.h's struct vm_control. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/events.h"
#include "vmm/vm.h"

static void control_status(void *ctx, struct status *st)
{
	vm_status(ctx, st);
}

static void control_census(void *ctx, struct census *c)
{
	stage2_census(((struct vm *)ctx)->stage2, c);
}

static void tell_number(struct vm *vm, const char *what, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	events_tell(vm->events, what, text);
}

static bool control_resident(void *ctx, uint64_t bytes, struct complaint *why)
{
	struct vm *vm = ctx;
	uint64_t floor = options_floor(vm->options);

	if (bytes < floor)
		return complaint_set(why,
				     "resident_bytes %llu is below the %llu "
				     "that this guest needs to run",
				     (unsigned long long)bytes,
				     (unsigned long long)floor);
	if (!vm->options->paging)
		return complaint_set(why, "this VM runs with --paging off");
	if (bytes > vm->options->memory_bytes)
		bytes = vm->options->memory_bytes;
	pthread_mutex_lock(&vm->lock);
	vm->operator_cap = bytes;
	pthread_mutex_unlock(&vm->lock);
	stage2_set_limit(vm->stage2, bytes >> PAGE_SHIFT);
	tell_number(vm, "resident", bytes);
	return true;
}

static uint64_t control_resident_cap(void *ctx, uint64_t *floor)
{
	*floor = options_floor(((struct vm *)ctx)->options);
	return vm_operator_cap(ctx);
}

static bool control_pause(void *ctx, struct complaint *why)
{
	vm_pause(ctx, "asked to");
	return vm_wait_idle(ctx, 1000) ||
	       complaint_set(why, "a vCPU has not stopped within 1 s");
}

static bool control_resume(void *ctx, struct complaint *why)
{
	(void)why;
	vm_resume(ctx);
	return true;
}

static void control_stop(void *ctx)
{
	vm_end(ctx, VM_STOPPED, 0);
}

static bool control_policy(void *ctx, const struct policy_ops *policy,
			   struct complaint *why)
{
	struct vm *vm = ctx;
	int r = stage2_set_policy(vm->stage2, policy);

	if (r)
		return complaint_set(why, "policy %s: %s", policy->name,
				     strerror(-r));
	events_tell(vm->events, "policy", policy->name);
	return true;
}

static bool control_whatif(void *ctx, struct whatif *w, struct complaint *why)
{
	struct stage2 *s = ((struct vm *)ctx)->stage2;

	return (stage2_mrc(s, &w->mrc) && stage2_shadow(s, &w->shadow)) ||
	       complaint_set(why, "nothing was seen yet: the VM has only just "
				  "begun, or runs with --paging off");
}

static bool control_audit(void *ctx, struct audit_report *report,
			  struct complaint *why)
{
	int r = stage2_audit(((struct vm *)ctx)->stage2, report);

	if (r == -ENOTSUP)
		return complaint_set(why, "this VM runs with --paging off");
	return !r || complaint_set(why, "audit: %s", strerror(-r));
}

static bool has_balloon(const struct vm *vm, struct complaint *why)
{
	return vm->balloon ||
	       complaint_set(why, "this VM has no balloon: run --balloon");
}

static bool control_balloon(void *ctx, struct balloon_report *r, bool fresh,
			    struct complaint *why)
{
	struct vm *vm = ctx;

	if (!has_balloon(vm, why))
		return false;
	if (fresh)
		balloon_refresh(vm->balloon, 200);
	balloon_report(vm->balloon, r);
	return true;
}

static bool control_balloon_target(void *ctx, uint64_t pages,
				   struct complaint *why)
{
	struct vm *vm = ctx;

	if (!has_balloon(vm, why))
		return false;
	if (pages >= vm->options->memory_bytes >> PAGE_SHIFT)
		return complaint_set(why, "that is all of its memory");
	if (vm->options->balloon.automatic)
		return complaint_set(why, "this balloon sizes itself: it was "
					  "made by --balloon auto");
	balloon_set_target(vm->balloon, (uint32_t)pages);
	tell_number(vm, "balloon", pages << PAGE_SHIFT);
	return true;
}

static bool control_balloon_hints(void *ctx, struct complaint *why)
{
	struct vm *vm = ctx;

	return has_balloon(vm, why) &&
	       (balloon_ask_hints(vm->balloon) ||
		complaint_set(why, "the guest's driver gives no hints"));
}

static bool control_injected(void *ctx, unsigned i, struct injected *to)
{
	const struct vm *vm = ctx;

	if (i >= swap_tiers(vm->swap))
		return false;
	to->tier = tier_label(vm->tier[i]);
	tier_injected(vm->tier[i], &to->now, &to->count);
	return true;
}

static void control_inject(void *ctx, unsigned i, const struct injection *what)
{
	struct vm *vm = ctx;

	tier_inject(vm->tier[i], what);
	events_tell(vm->events, "injection", tier_label(vm->tier[i]));
}

static bool control_explain(void *ctx, const char *address, struct explain *e,
			    struct complaint *why)
{
	return vm_explain(ctx, address, e, why);
}

static bool control_attribute(void *ctx, struct attribution *a,
			      struct complaint *why)
{
	return vm_attribute(ctx, a, why);
}

static bool control_trace_start(void *ctx, bool registers,
				struct complaint *why)
{
	return vm_trace_start(ctx, registers, why);
}

static bool control_trace_stop(void *ctx, struct complaint *why)
{
	return vm_trace_stop(ctx, why);
}

static bool control_trace_fetch(void *ctx, uint64_t first,
				struct trace_part *part, struct complaint *why)
{
	return vm_trace_fetch(ctx, first, part, why);
}

struct vm_control vm_control(struct vm *vm)
{
	return (struct vm_control){
		.vm = vm,
		.events = vm->events,
		.status = control_status,
		.census = control_census,
		.resident = control_resident,
		.resident_cap = control_resident_cap,
		.pause = control_pause,
		.resume = control_resume,
		.stop = control_stop,
		.policy = control_policy,
		.whatif = control_whatif,
		.explain = control_explain,
		.attribute = control_attribute,
		.audit = control_audit,
		.trace_start = control_trace_start,
		.trace_stop = control_trace_stop,
		.trace_fetch = control_trace_fetch,
		.balloon = control_balloon,
		.balloon_target = control_balloon_target,
		.balloon_hints = control_balloon_hints,
		.injected = control_injected,
		.inject = control_inject,
	};
}
