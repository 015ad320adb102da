/* SPDX-License-Identifier: MIT */
/* What a running VM knows of one address. */
#include "vmm/vm.h"

#define ANSWER_MS 1000

/* SDM vol. 3A, 4.1.1: what makes a vCPU use 4-level tables. */
#define CR0_PG	 (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)

bool vcpu_paging_is_4_level(const struct vcpu_paging *p)
{
	return (p->cr0 & CR0_PG) && (p->efer & EFER_LMA) &&
	       !(p->cr4 & CR4_LA57);
}

static bool is_ram(void *ctx, gpa_t at)
{
	const struct vm *vm = ctx;

	return ram_contains(&vm->ram, at, 1) || shares_find(&vm->shares, at, 1);
}

static void note_ref(void *ctx, const struct twostage_ref *r)
{
	struct explain *e = ctx;

	if (e->refs < EXPLAIN_REFS)
		e->ref[e->refs++] = *r;
}

/* Stage 1: e->gpa. */
static bool walk_virtual(struct vm *vm, struct explain *e,
			 struct complaint *why)
{
	struct vcpu_paging p;
	struct twostage t;

	if (!vcpu_ask_paging(&vm->vcpu[0], &p, ANSWER_MS))
		return complaint_set(why,
				     "vCPU 0 has not answered within %d "
				     "ms; gpa:ADDRESS needs no vCPU",
				     ANSWER_MS);
	if (!vcpu_paging_is_4_level(&p))
		return complaint_set(why, "vCPU 0 does not use 4-level tables "
					  "now; gpa:ADDRESS needs none");
	e->cr3 = p.cr3;
	t = twostage_walk(vm->stage2, p.cr3, e->gva, note_ref, e);
	e->has_gpa = t.has_gpa;
	e->gpa = t.gpa;
	return true;
}

static const char *tier_name(struct swap *s, unsigned tier)
{
	struct tier_stats unused;

	if (tier == SWAP_SAME)
		return "same";
	return tier < swap_tiers(s) ? swap_tier_stats(s, tier, &unused) : NULL;
}

/* The names of the tiers that slots lie in. */
static void name_tiers(struct vm *vm, struct explain *e)
{
	struct page_report *p = &e->page;

	for (unsigned i = 0; i < e->refs; i++) {
		struct pte entry = { e->ref[i].entry };

		if (e->ref[i].stage == 2 && pte_kind(entry) == PTE_STORED)
			e->tier[i] = swap_tier_name(vm->swap, pte_slot(entry));
	}
	for (unsigned i = 0; e->ram && i < p->events; i++)
		e->event_tier[i] = tier_name(vm->swap, p->event[i].tier);
}

/* The page's slot, or that of the copy it kept. False: it has none. */
static bool slot_of(const struct page_report *p, slot_t *slot)
{
	if (pte_kind(p->entry) == PTE_STORED)
		*slot = pte_slot(p->entry);
	else
		*slot = p->copy;
	return pte_kind(p->entry) == PTE_STORED || p->has_copy;
}

/* Its copy is loaded once to see whether it verifies; not from a server, for
 * which nobody who asks a question should have to wait. */
static void describe_copy(struct vm *vm, struct explain *e)
{
	slot_t slot;

	if (!e->ram || !slot_of(&e->page, &slot))
		return;
	e->copy.tier = swap_tier_name(vm->swap, slot);
	e->remote = rung_of_tier(e->copy.tier) == RUNG_REMOTE;
	if (!e->remote)
		swap_describe(vm->swap, slot, gfn_of(e->gpa), &e->copy);
}

bool vm_explain(struct vm *vm, const char *address, struct explain *e,
		struct complaint *why)
{
	const struct shared_file *file;

	if (!explain_parse(address, is_ram, vm, e, why))
		return false;
	e->tsc_hz = vm->tsc_hz;
	if (e->virtual) {
		if (!walk_virtual(vm, e, why))
			return false;
	} else {
		twostage_walk_gpa(vm->stage2, e->gpa, note_ref, e);
	}
	file = e->has_gpa ? shares_find(&vm->shares, e->gpa, 1) : NULL;
	e->share = file ? file->path : NULL;
	e->ram =
		e->has_gpa && stage2_page(vm->stage2, gfn_of(e->gpa), &e->page);
	name_tiers(vm, e);
	describe_copy(vm, e);
	return true;
}
