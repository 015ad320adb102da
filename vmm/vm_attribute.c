/* SPDX-License-Identifier: MIT */
/* Whose memory it is, of a running VM: vmm/attribute.h. */
#include "devices/lab.h"
#include "vmm/vm.h"

#define ANSWER_MS 1000

static enum owned stored_as(struct vm *vm, slot_t slot)
{
	return swap_tier(vm->swap, slot) == SWAP_SAME ? OWNED_SAME
						      : OWNED_SWAPPED;
}

static enum owned state_of(void *ctx, gfn_t g)
{
	struct vm *vm = ctx;
	struct pte e = stage2_entry(vm->stage2, g);

	switch (pte_kind(e)) {
	case PTE_STORED:
		return stored_as(vm, pte_slot(e));
	case PTE_ABSENT:
		return pte_payload(e) == PAGER_ZERO ? OWNED_ZERO : OWNED_FILE;
	case PTE_POISONED:
		return OWNED_LOST;
	default:
		return OWNED_RESIDENT;
	}
}

/* Nobody who asks a question should have to wait for a server, nor for a page
 * that one is just asked for. */
static bool is_far(struct vm *vm, gfn_t g)
{
	struct pte e = stage2_entry(vm->stage2, g);

	if (pte_kind(e) == PTE_STORED)
		return rung_of_tier(swap_tier_name(vm->swap, pte_slot(e))) ==
		       RUNG_REMOTE;
	return pte_kind(e) == PTE_ARRIVING;
}

static bool look(void *ctx, gpa_t at, void *to, size_t len)
{
	struct vm *vm = ctx;

	return !is_far(vm, gfn_of(at)) && !stage2_look(vm->stage2, at, to, len);
}

/* What the bundled guest's kernel says of who runs there. */
static uint32_t pid_of(struct vm *vm, unsigned vcpu, uint64_t cr3)
{
	struct lab_cpu c;

	if (!vm->lab || !lab_cpu(vm->lab, vcpu, &c))
		return 0;
	return c.cr3 == cr3 ? c.pid : 0;
}

/* False: none uses such tables. */
static bool add_running(struct vm *vm, const struct attribute_memory *m,
			struct roots *r, struct complaint *why)
{
	struct vcpu_paging p;

	for (unsigned i = 0; i < vm->vcpus; i++) {
		if (!vcpu_ask_paging(&vm->vcpu[i], &p, ANSWER_MS))
			return complaint_set(why,
					     "vCPU %u has not answered within "
					     "%d ms",
					     i, ANSWER_MS);
		if (vcpu_paging_is_4_level(&p))
			roots_add(m, r,
				  (struct root){ p.cr3, pid_of(vm, i, p.cr3),
						 ROOT_BY_VCPU });
	}
	return r->n ||
	       complaint_set(why, "no vCPU uses 4-level tables just now");
}

/* Those that faults were traced of. */
static void add_traced(struct vm *vm, const struct attribute_memory *m,
		       struct roots *r)
{
	struct root root = { .by = ROOT_BY_TRACE };

	for (unsigned i = 0;
	     witness_process(&vm->witness, i, &root.cr3, &root.pid); i++)
		if (root.cr3)
			roots_add(m, r, root);
}

bool vm_attribute(struct vm *vm, struct attribution *a, struct complaint *why)
{
	const struct attribute_memory m = { &vm->ram, look, state_of, vm };
	struct roots r = { .n = 0 };

	if (!vm->options->paging)
		return complaint_set(why, "this VM runs with --paging off");
	if (!add_running(vm, &m, &r, why))
		return false;
	add_traced(vm, &m, &r);
	roots_find(&m, &r);
	return !attribute(&m, &r, a) || complaint_set(why, "no memory for it");
}
