/* SPDX-License-Identifier: MIT */
/* What a VM says of itself. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/lab.h"
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
		[VM_RUNNING] = "",	    [VM_EXIT] = "exit",
		[VM_POWEROFF] = "poweroff", [VM_REBOOT] = "reboot",
		[VM_TIMEOUT] = "timeout",   [VM_CRASH] = "crash",
		[VM_STOPPED] = "stopped",   [VM_FAILED] = "stopped",
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
	st->placement.poll_most_us = in_us(vm, p.spin.most);
	st->placement.poll_now_us = in_us(vm, p.spin.now);
	st->placement.polled = p.spin.polled;
	st->placement.blocked = p.spin.blocked;
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
	st->guest.page_faults = vm->lab ? lab_faults(vm->lab) : 0;
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
