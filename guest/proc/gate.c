/* SPDX-License-Identifier: MIT */
#include "guest/proc/gate.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/proc/process.h"
#include "guest/proc/sched.h"

/* exit(TRIAL_WORKS) by syscall; where it does nothing, ud2 ends the trial. */
#define TRIAL_WORKS 1
/* clang-format off */
static const uint8_t trial[] = {
	0xbf, TRIAL_WORKS, 0, 0, 0, /* mov $TRIAL_WORKS, %edi */
	0xb8, SYS_EXIT, 0, 0, 0, /* mov $SYS_EXIT, %eax */
	0x0f, 0x05, /* syscall */
	0x0f, 0x0b, /* ud2 */
};
/* clang-format on */

static const uint8_t by_syscall[] = { 0x0f, 0x05, 0xc3 }; /* syscall; ret */
static const uint8_t by_trap[] = { 0x0f, 0x0b, 0xc3 }; /* ud2; ret */
#define TRAP_BYTES 2

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
enum gate_method gate_method;

/* Flags cleared on entry: interrupts, single step, direction, NT, AC. */
#define FMASK_CLEARS 0x44700u

static bool offers_syscall(void)
{
	const uint32_t has_syscall = 1u << 11;

	return cpuid(0x80000001).d & has_syscall;
}

/* SDM vol. 3, 5.8.8. */
void gate_init_cpu(void)
{
	const uint64_t efer_sce = 1;
	const uint64_t star =
		(uint64_t)(USER_SS - 8) << 48 | (uint64_t)KERNEL_CS << 32;

	if (!offers_syscall())
		return;
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

	memcpy(page, trial, sizeof(trial));
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
	struct process *p;
	int status;

	if (!offers_syscall())
		return false;
	p = process_new("gate", try_syscall);
	if (!p)
		panic("no memory for a process");
	sched_add(p);
	process_wait(p->pid, &status, false);
	return status == TRIAL_WORKS;
}

void gate_init(bool trap_only)
{
	bool works = !trap_only && syscall_works();

	memset(page, 0, sizeof(trial));
	if (works) {
		memcpy(page, by_syscall, sizeof(by_syscall));
	} else {
		gate_method = GATE_TRAP;
		memcpy(page, by_trap, sizeof(by_trap));
	}
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
