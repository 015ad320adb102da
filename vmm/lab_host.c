/* SPDX-License-Identifier: MIT */
/* What the lab device may ask of the VM; its commands are guest/abi.h's. */
#include <errno.h>

#include "devices/lab.h"
#include "devices/virtio_balloon.h"
#include "ept/twostage.h"
#include "vmm/vm.h"

static int host_evict(void *ctx, gpa_t at)
{
	return -stage2_evict(((struct vm *)ctx)->stage2, gfn_of(at));
}

static int host_unmap(void *ctx, gpa_t at)
{
	return -stage2_unmap(((struct vm *)ctx)->stage2, gfn_of(at));
}

static enum lab_state host_state(void *ctx, gpa_t at)
{
	static const enum lab_state of[PTE_KINDS] = {
		[PTE_HOLE] = LAB_HOLE,	       [PTE_ABSENT] = LAB_ABSENT,
		[PTE_ARRIVING] = LAB_ARRIVING, [PTE_LEAF] = LAB_MAPPED,
		[PTE_UNMAPPED] = LAB_UNMAPPED, [PTE_LEAVING] = LAB_LEAVING,
		[PTE_STORED] = LAB_STORED,     [PTE_POISONED] = LAB_POISONED,
	};

	return of[pte_kind(
		stage2_entry(((struct vm *)ctx)->stage2, gfn_of(at)))];
}

/* The guest may live with less than the operator gave it, never with more,
 * and never with less than it needs. */
static int host_resident(void *ctx, uint64_t bytes, uint64_t *now)
{
	struct vm *vm = ctx;
	uint64_t most = vm_operator_cap(vm);

	if (!vm->options->paging)
		return ENOTSUP;
	if (bytes == 0 || bytes > most)
		bytes = most;
	if (bytes < options_floor(vm->options))
		return EINVAL;
	stage2_set_limit(vm->stage2, bytes >> PAGE_SHIFT);
	*now = bytes & ~PAGE_MASK;
	return stage2_wait_limit(vm->stage2, 10000) ? 0 : EAGAIN;
}

/* Tag of virtio 1.2, 5.5.6.4. */
enum { FREE_MEMORY = 4 };

static void host_counters(void *ctx, struct lab_counters *to)
{
	struct vm *vm = ctx;
	struct balloon_report b = { 0 };
	struct stage2_counters c;

	stage2_counters(vm->stage2, &c);
	if (vm->balloon)
		balloon_report(vm->balloon, &b);
	*to = (struct lab_counters){
		.missing = c.missing,
		.minor = c.minor,
		.zero_filled = c.zero_filled,
		.file_filled = c.file_filled,
		.swapped_in = c.swapped_in,
		.swapped_out = c.swapped_out,
		.clean_dropped = c.clean_dropped,
		.zero_elided = c.zero_elided,
		.mapped_ahead = c.mapped_ahead,
		.memory_bytes = c.pages << PAGE_SHIFT,
		.resident_bytes = c.resident << PAGE_SHIFT,
		.resident_limit_bytes = c.limit << PAGE_SHIFT,
		.resident_peak_bytes = c.peak_bytes,
		.mmio_exits = vm->mmio_exits,
		.stalled_us = stage2_pressure(vm->stage2).some.total_us,
		.balloon_pages = b.actual_pages,
		.guest_free_bytes = b.value[FREE_MEMORY],
	};
}

/* Where our own tables lie is no business of the guest's. */
static uint64_t shown(const struct twostage_ref *r)
{
	bool ours = r->stage == 2 &&
		    pte_kind((struct pte){ r->entry }) == PTE_TABLE;

	return ours ? r->entry & ~PTE_ADDRESS : r->entry;
}

static void note_ref(void *ctx, const struct twostage_ref *r)
{
	struct lab_walk *w = ctx;

	if (w->refs < LAB_WALK_REFS)
		w->ref[w->refs++] = (struct lab_ref){ .stage = r->stage,
						      .level = r->level,
						      .gpa = r->gpa.v,
						      .entry = shown(r) };
}

static int host_walk(void *ctx, gva_t at, struct lab_walk *w)
{
	struct twostage t;
	uint64_t cr3;

	if (!vcpu_current_cr3(&cr3))
		return EIO;
	t = twostage_walk(((struct vm *)ctx)->stage2, cr3, at, note_ref, w);
	w->found = t.found;
	w->gpa = t.gpa.v;
	return 0;
}

static void host_fault(void *ctx, const struct lab_fault *f)
{
	const struct trace_record r = {
		.tsc = f->tsc,
		.kind = TRACE_STAGE1,
		.ticks = f->ticks,
		.stage1 = { .gva = f->gva,
			    .rip = f->rip,
			    .cr3 = f->cr3,
			    .error = f->error,
			    .pid = f->pid,
			    .why = f->kind },
	};
	stage2_trace_emit(((struct vm *)ctx)->stage2, &r);
}

static void host_progress(void *ctx, uint64_t more)
{
	atomic_fetch_add(&((struct vm *)ctx)->progress, more);
}

static int host_balloon(void *ctx, uint64_t pages)
{
	struct vm *vm = ctx;

	if (!vm->balloon)
		return ENODEV;
	if (pages >= vm->options->memory_bytes >> PAGE_SHIFT)
		return EINVAL;
	balloon_set_target(vm->balloon, (uint32_t)pages);
	balloon_refresh(vm->balloon, 0); /* for the next LAB_COUNTERS */
	return 0;
}

void vm_lab_host(struct vm *vm, struct lab_host *host)
{
	*host = (struct lab_host){
		.ctx = vm,
		.evict = host_evict,
		.unmap = host_unmap,
		.state = host_state,
		.resident = host_resident,
		.balloon = host_balloon,
		.progress = host_progress,
		.counters = host_counters,
		.walk = host_walk,
		.fault = host_fault,
	};
}
