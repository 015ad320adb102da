/* SPDX-License-Identifier: MIT */
#include "guest/proc/refuse.h"

#include "guest/lib/print.h"
#include "guest/mm/fault.h"
#include "guest/proc/process.h"

/* RAX the vector, RDX the error code, RCX the address. */
static void deliver(struct trap_frame *f, uintptr_t va)
{
	f->rip = current()->catch;
	f->rax = f->vector;
	f->rdx = f->error;
	f->rcx = va;
	current()->catch = 0;
}

static void report(const struct process *p, const struct trap_frame *f,
		   uintptr_t va)
{
	print("kernel: %s (pid %u) killed: ", p->name, p->pid);
	if (f->vector == TRAP_PAGE_FAULT)
		print("%s at %#lx, ", fault_reason(f->error), va);
	else
		print("exception %lu, ", f->vector);
	print("error code %#lx, rip %#lx\n", f->error, f->rip);
}

void process_refuse(struct trap_frame *f, uintptr_t va)
{
	struct process *p = current();

	if (p->catch) {
		deliver(f, va);
		return;
	}
	if (p->pid)
		report(p, f, va);
	process_exit(STATUS_KILLED + SIGNAL_SEGV);
}
