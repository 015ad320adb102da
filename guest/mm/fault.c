/* SPDX-License-Identifier: MIT */
/*
 * Where ring 0 is emulated an instruction costs up to a microsecond, and more
 * if it touches memory. So the path of a demand fault remembers what it found
 * last time (area, table) and has no call it can do without.
 */

#include "guest/dev/lab.h"
#include "guest/lib/base.h"
#include "guest/mm/leaf.h"
#include "guest/mm/swap.h"
#include "guest/proc/process.h"

static bool allows(const struct vma *v, uint64_t error)
{
	if (error & (FAULT_W | FAULT_I))
		return v->prot & (error & FAULT_W ? PROT_WRITE : PROT_EXEC);
	return v->prot;
}

/* A page that was not shared meanwhile may be written to at once. */
static __attribute__((noinline)) int bring_back(struct vma *v, uintptr_t va,
						uint64_t *at, uint64_t error)
{
	int kind = swap_in(v, va, at);

	if (!kind && error & FAULT_W && *at & PTE_P && !(*at & PTE_W))
		kind = v->ops->wppage(v, va, at);
	return kind < 0 ? kind : LAB_FAULT_SWAP_IN;
}

/*
 * The entry decides, not P of the error code: another may have filled it
 * meanwhile, and then there is nothing to do but to try again. The kernel
 * itself touches no user address.
 */
static inline __attribute__((always_inline)) int resolve(struct space *s,
							 uintptr_t va,
							 uint64_t error)
{
	struct vma *v;
	uint64_t *at;

	if ((error & (FAULT_RSVD | FAULT_U)) != FAULT_U)
		return -EFAULT;
	v = space_find(s, va);
	if (!v || !allows(v, error))
		return -EFAULT;
	at = leaf_at(s, va);
	if (!at)
		return -ENOMEM;
	va = page_down(va);
	if (!*at)
		return v->ops->nopage(v, va, at, error);
	if (!(*at & PTE_P))
		return bring_back(v, va, at, error);
	if (error & FAULT_W && !(*at & PTE_W))
		return v->ops->wppage(v, va, at);
	return LAB_FAULT_COW;
}

int fault_resolve(struct space *s, uintptr_t va, uint64_t error)
{
	int kind = resolve(s, va, error);

	return kind < 0 ? kind : 0;
}

static __attribute__((noinline)) void record(const struct trap_frame *f,
					     uintptr_t va, uint64_t tsc,
					     enum lab_fault_kind kind)
{
	uint64_t ticks = rdtsc() - tsc;

	lab_record(&(struct lab_fault){
		.tsc = tsc,
		.gva = va,
		.rip = f->rip,
		.cr3 = read_cr3(),
		.error = (uint32_t)f->error,
		.pid = current()->pid,
		.kind = kind,
		.ticks = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks,
	});
}

/* The program's fault, not ours: it hears why. */
static __attribute__((noinline)) void refuse(struct trap_frame *f, uintptr_t va,
					     int error)
{
	if (process_dying()) /* of oom_kill, perhaps for this very page */
		process_exit(STATUS_KILLED + SIGNAL_KILL);
	if (error == -ENOMEM)
		print("kernel: out of frames\n");
	if (broken("outcomes"))
		f->error ^= FAULT_W;
	process_refuse(f, va);
}

/* The hypervisor may want to know it before the fault is over. */
static __attribute__((noinline)) uint64_t begin(uintptr_t va)
{
	lab_shared.ring.cpu[current()->cpu].gva = va;
	return rdtsc();
}

void page_fault(struct trap_frame *f)
{
	uintptr_t va = read_cr2();
	uint64_t tsc = lab_tracing() ? begin(va) : 0;
	int kind = resolve(current()->space, va, f->error);
	int error = kind;

	if (kind < 0)
		kind = LAB_FAULT_REFUSED;
	lab_shared.ring.faults = ++counts.faults;
	counts.fault[kind]++;
	if (tsc)
		record(f, va, tsc, (enum lab_fault_kind)kind);
	if (error < 0)
		refuse(f, va, error);
}

const char *fault_reason(uint64_t error)
{
	bool present = error & FAULT_P;

	if (error & FAULT_I)
		return present ? "execution of data" : "execution of nothing";
	if (error & FAULT_W)
		return present ? "write without the right" : "write to nothing";
	return present ? "read without the right" : "read of nothing";
}
