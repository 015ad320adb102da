/* SPDX-License-Identifier: MIT */
/* Programs that the processor does not let go on. */

#include "guest/cpu/cpu.h"
#include "guest/dev/console.h"
#include "guest/lib/print.h"
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

/*
 * SDM vol. 3B, 16.3: each bank of registers that has something to say is
 * valid; what it says is read and cleared, and last of all MCIP, without which
 * the next machine check would be a shutdown.
 */
#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MC0_STATUS 0x401
#define MSR_MC0_ADDR   0x402
#define BANK_MSRS      4
#define BANK_VALID     (1ul << 63)
#define BANK_ADDR_V    (1ul << 58)

/* The address in the last bank that has one; 0: none has. */
static uint64_t take_address(void)
{
	uint32_t banks = rdmsr(MSR_MCG_CAP) & 0xff;
	uint64_t address = 0;

	for (uint32_t i = 0; i < banks; i++) {
		uint64_t status = rdmsr(MSR_MC0_STATUS + i * BANK_MSRS);

		if (!(status & BANK_VALID))
			continue;
		if (status & BANK_ADDR_V)
			address = rdmsr(MSR_MC0_ADDR + i * BANK_MSRS);
		wrmsr(MSR_MC0_STATUS + i * BANK_MSRS, 0);
	}
	wrmsr(MSR_MCG_STATUS, 0);
	return address;
}

void machine_check(struct trap_frame *f)
{
	uint64_t address = take_address();

	print("kernel: %s (pid %u) killed: machine check: the memory at gpa "
	      "%#lx is lost, rip %#lx\n",
	      current()->name, current()->pid, address, f->rip);
	process_exit(EXIT_MEMORY_LOST);
}
