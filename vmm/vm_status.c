/* SPDX-License-Identifier: MIT */
/* What a VM says of itself, and what the control API may ask of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio_net.h"
#include "vmm/clock.h"
#include "vmm/events.h"
#include "vmm/vm.h"

/* Is the module parameter at @path on? */
static bool parameter_on(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 'N';

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = 'N';
	close(fd);
	return c == 'Y' || c == '1';
}

/* Which tables the CPU walks for stage 2. */
static const char *stage2_kind(void)
{
	if (parameter_on("/sys/module/kvm_intel/parameters/ept"))
		return "ept";
	if (parameter_on("/sys/module/kvm_amd/parameters/npt"))
		return "npt";
	return "shadow";
}

const char *vm_end_name(enum vm_end end)
{
	static const char *const name[] = {
		[VM_RUNNING] = "",	  [VM_EXIT] = "exit",
		[VM_TIMEOUT] = "timeout", [VM_CRASH] = "crash",
		[VM_STOPPED] = "stopped", [VM_FAILED] = "stopped",
	};

	return name[end];
}

static double in_us(const struct vm *vm, uint64_t ticks)
{
	return vm->tsc_hz ? (double)ticks * 1e6 / (double)vm->tsc_hz : 0;
}

/* The least power of two of microseconds that is not below a bucket's. */
static void status_latency(struct vm *vm, const struct histogram *h,
			   struct status *st)
{
	st->faults.latency_us.p50 = in_us(vm, histogram_percentile(h, 50));
	st->faults.latency_us.p99 = in_us(vm, histogram_percentile(h, 99));
	st->faults.latency_us.max = in_us(vm, h->max);
	st->faults.served = h->count;
	st->faults.sum_us = in_us(vm, h->sum);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double us = in_us(vm, histogram_least(i));
		unsigned power = 0;

		while (power < LATENCY_BUCKETS &&
		       us > (double)(UINT64_C(1) << power))
			power++;
		if (power < LATENCY_BUCKETS)
			st->faults.bucket[power] += h->bucket[i];
	}
}

static void status_memory(struct vm *vm, struct status *st)
{
	struct stage2_counters c;
	struct histogram h;

	stage2_counters(vm->stage2, &c);
	stage2_latency(vm->stage2, &h);
	st->memory.size_bytes = c.pages << PAGE_SHIFT;
	st->memory.resident_limit_bytes = c.limit << PAGE_SHIFT;
	st->memory.resident_bytes = stage2_measured_bytes(vm->stage2);
	st->memory.resident_peak_bytes = c.peak_bytes;
	st->memory.counted_bytes = c.resident << PAGE_SHIFT;
	st->faults.missing = c.missing;
	st->faults.minor = c.minor;
	status_latency(vm, &h, st);
	st->pages.zero_filled = c.zero_filled;
	st->pages.file_filled = c.file_filled;
	st->pages.swapped_in = c.swapped_in;
	st->pages.swapped_out = c.swapped_out;
	st->pages.clean_dropped = c.clean_dropped;
	st->pages.zero_elided = c.zero_elided;
	st->pages.mapped_ahead = c.mapped_ahead;
	st->share.pages_read = c.share_read;
	st->share.pages_found = c.share_found;
	st->share.copy_bytes = stage2_shared_bytes(vm->stage2);
	st->share.writes_ignored = atomic_load(&vm->share_writes);
	for (unsigned i = 0; i < vm->shares.n; i++)
		st->share.size_bytes += vm->shares.file[i].bytes;
}

static void status_observed(struct vm *vm, struct status *st)
{
	struct ladder l;

	st->pressure = stage2_pressure(vm->stage2);
	stage2_ladder(vm->stage2, &l);
	for (unsigned i = 0; i < RUNGS; i++) {
		st->ladder[i].pages = l.rung[i].pages;
		st->ladder[i].bytes = l.rung[i].bytes;
		st->ladder[i].us = (uint64_t)in_us(vm, l.rung[i].ticks);
	}
}

static void status_placement(struct vm *vm, struct status *st)
{
	struct placement_report p = stage2_placement(vm->stage2);

	st->placement.choice = placement_name[p.choice];
	st->placement.same_cpu_us = in_us(vm, p.ticks[PLACE_SAME_CPU]);
	st->placement.spin_us = in_us(vm, p.ticks[PLACE_SPIN]);
	st->placement.blocked_us = in_us(vm, p.ticks[PLACE_BLOCKED]);
	st->placement.awake_us = in_us(vm, p.ticks[PLACE_AWAKE]);
}

static void status_devices(struct vm *vm, struct status *st)
{
	st->devices = vm->slots;
	for (unsigned i = 0; i < vm->slots; i++) {
		struct virtio *virtio = vm->slot[i].device;
		struct virtio_counters *c = &virtio->count;

		st->device[i].name = vm->slot[i].name;
		st->device[i].requests = atomic_load(&c->requests);
		st->device[i].bytes = atomic_load(&c->bytes);
		st->device[i].errors = atomic_load(&c->errors);
		st->device[i].needs_reset = atomic_load(&c->needs_reset);
		st->device[i].net = virtio->kind.id == VIRTIO_ID_NET;
		if (st->device[i].net)
			st->device[i].foreign_frames =
				virtio_net_foreign(virtio);
	}
}

static void status_dma(struct vm *vm, struct status *st)
{
	dma_counters(vm->dma, &st->dma);
	iommu_counters(vm->iommu, &st->iommu);
}

void vm_status(struct vm *vm, struct status *st)
{
	*st = (struct status){
		.name = vm->options->name,
		.vcpus = vm->options->cpus,
		.large_pages = vm->options->large_pages,
		.accel = getenv("TWOFOLD_CAPSULE") ? "capsule" : "kvm",
		.stage2 = stage2_kind(),
		.policy = stage2_policy(vm->stage2),
		.tiers = swap_tiers(vm->swap),
		.wall_us = (uint64_t)(clock_us() - vm->start_us),
		.first_exit_us = atomic_load(&vm->first_exit_us),
	};
	for (unsigned i = 0; i < st->tiers; i++)
		st->tier[i].name =
			swap_tier_stats(vm->swap, i, &st->tier[i].stats);
	status_memory(vm, st);
	status_placement(vm, st);
	status_observed(vm, st);
	status_devices(vm, st);
	status_dma(vm, st);
	pthread_mutex_lock(&vm->lock);
	st->state = vm->end ? "ended" : vm->paused ? "paused" : "running";
	memcpy(st->reason, vm->pause_reason, sizeof(st->reason));
	st->guest.exit_code = vm->status;
	st->guest.exit_reason = vm_end_name(vm->end);
	st->guest.page_faults = vm->page_faults;
	st->guest.progress = atomic_load(&vm->progress);
	st->slo.stall_percent = vm->slo.target;
	st->slo.cap_bytes = vm->slo.cap;
	st->slo.lowered = vm->slo.lowered;
	st->slo.raised = vm->slo.raised;
	pthread_mutex_unlock(&vm->lock);
}

uint64_t vm_operator_cap(struct vm *vm)
{
	uint64_t cap;

	pthread_mutex_lock(&vm->lock);
	cap = vm->operator_cap;
	pthread_mutex_unlock(&vm->lock);
	return cap;
}

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
		.audit = control_audit,
		.balloon = control_balloon,
		.balloon_target = control_balloon_target,
		.injected = control_injected,
		.inject = control_inject,
	};
}
