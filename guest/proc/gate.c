/* SPDX-License-Identifier: MIT */
/* The gate (syscall.h): which instruction it holds is found out by trying. */
#include "guest/proc/syscall.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/lib/base.h"
#include "guest/proc/sched.h"

/* trap.S: what may stand in the page. The first is exit(TRIAL_WORKS). */
#define GATE_BYTES  16
#define TRIAL_WORKS 1
extern const uint8_t gate_trial[GATE_BYTES], gate_by_syscall[GATE_BYTES],
	gate_by_trap[GATE_BYTES];

#define TRAP_BYTES 2 /* of the instruction */

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
enum gate_method gate_method;

/* Flags cleared on entry: interrupts, single step, direction, NT, AC. */
#define FMASK_CLEARS 0x44700u

/* SDM vol. 3, 5.8.8. */
void gate_init_cpu(void)
{
	const uint64_t efer_sce = 1;
	const uint64_t star =
		(uint64_t)(USER_SS - 8) << 48 | (uint64_t)KERNEL_CS << 32;

	wrmsr(MSR_STAR, star);
	wrmsr(MSR_LSTAR, (uintptr_t)syscall_entry);
	wrmsr(MSR_FMASK, FMASK_CLEARS);
	wrmsr(MSR_KERNEL_GS_BASE, (uintptr_t)this_cpu());
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | efer_sce);
}

/* The trial, in ring 3: no program, so whatever ends it does so in silence. */
static void try_syscall(void)
{
	struct process *p = current();

	memcpy(page, gate_trial, GATE_BYTES);
	p->space = space_new();
	if (!p->space)
		panic("no memory for a process");
	tlb_load(p->space);
	*process_frame(p) = (struct trap_frame){
		.rip = GATE_PAGE,
		.cs = USER_CS,
		.rflags = RFLAGS_IF,
		.ss = USER_SS,
	};
}

static bool syscall_works(void)
{
	struct process *p = process_new("gate", try_syscall);
	int status;

	if (!p)
		panic("no memory for a process");
	sched_add(p);
	process_wait(p->pid, &status);
	return status == TRIAL_WORKS;
}

void gate_init(bool trap_only)
{
	if (trap_only || !syscall_works())
		gate_method = GATE_TRAP;
	memcpy(page, gate_method == GATE_TRAP ? gate_by_trap : gate_by_syscall,
	       GATE_BYTES);
}

pa_t gate_page_pa(void)
{
	return image_pa(page);
}

bool gate_called(struct trap_frame *f)
{
	if (f->vector != TRAP_INVALID_OPCODE || f->rip != GATE_PAGE ||
	    gate_method != GATE_TRAP)
		return false;
	f->rip += TRAP_BYTES;
	return true;
}
