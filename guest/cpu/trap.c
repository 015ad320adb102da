/* SPDX-License-Identifier: MIT */
#include "guest/cpu/trap.h"

#include <assert.h>

#include "guest/cpu/cpu.h"
#include "guest/cpu/lock.h"
#include "guest/cpu/machine_check.h"
#include "guest/cpu/selector.h"
#include "guest/cpu/smp.h"
#include "guest/dev/irq.h"
#include "guest/dev/lab.h"
#include "guest/dev/lapic.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/print.h"
#include "guest/mm/fault.h"
#include "guest/proc/gate.h"
#include "guest/proc/process.h"
#include "guest/proc/refuse.h"
#include "guest/proc/sched.h"
#include "guest/proc/syscall.h"

/* SDM vol. 3, 6.14.1: a 64-bit gate. */
struct gate {
	uint16_t offset_0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_16;
	uint32_t offset_32;
	uint32_t reserved;
};

struct idt_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#define GATE_INTERRUPT 0x8e /* present, clears IF, not callable from ring 3 */

extern const uintptr_t trap_vectors[TRAPS];

static_assert(TRAP_SYSCALL == 60 && TRAPS == 59, "trap.S has numbers");

uintptr_t trap_fixup;

static struct gate idt[TRAPS];

static void load_idt(uint16_t limit)
{
	struct idt_register r = { limit, (uintptr_t)idt };

	__asm__ volatile("lidt %0" : : "m"(r));
}

void trap_init(void)
{
	for (unsigned i = 0; i < TRAPS; i++) {
		uintptr_t to = trap_vectors[i];

		idt[i] = (struct gate){
			.offset_0 = (uint16_t)to,
			.selector = KERNEL_CS,
			.ist = i == TRAP_DOUBLE_FAULT ? IST_DOUBLE_FAULT : 0,
			.type = GATE_INTERRUPT,
			.offset_16 = (uint16_t)(to >> 16),
			.offset_32 = (uint32_t)(to >> 32),
		};
	}
	trap_load();
}

void trap_load(void)
{
	load_idt(sizeof(idt) - 1);
}

static void dump(const struct trap_frame *f)
{
	print("  rip %016lx  rsp %016lx  flags %08lx  cs %04lx\n", f->rip,
	      f->rsp, f->rflags, f->cs);
	print("  rax %016lx  rbx %016lx  rcx %016lx\n", f->rax, f->rbx, f->rcx);
	print("  rdx %016lx  rsi %016lx  rdi %016lx\n", f->rdx, f->rsi, f->rdi);
	print("  rbp %016lx  r8  %016lx  r9  %016lx\n", f->rbp, f->r8, f->r9);
	print("  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r10, f->r11, f->r12);
	print("  r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
	print("  cr2 %016lx  cr3 %016lx  error %#lx\n", read_cr2(), read_cr3(),
	      f->error);
}

/*
 * With no IDT the next fault cannot be delivered, nor the double fault that
 * follows from it (SDM vol. 3, 6.15): shutdown, which a hypervisor reports.
 */
void trap_die(const struct trap_frame *f, const char *why)
{
	static bool dying; /* then what follows has failed already */

	if (!dying) {
		dying = true;
		print("kernel: %s in ring 0, vector %lu\n", why, f->vector);
		dump(f);
		lab_finish(counts.faults);
	}
	load_idt(0);
	*(volatile int *)(USER_END - 8) = 0;
	cpu_stop();
}

void trap_leave(struct trap_frame *f)
{
	if (from_user(f)) {
		if (this_cpu()->resched && !broken("switch"))
			sched_yield();
		if (process_dying())
			process_exit(STATUS_KILLED + current()->signal);
	}
	kernel_unlock();
}

void trap_page_fault(struct trap_frame *f)
{
	kernel_lock();
	page_fault(f);
	trap_leave(f);
}

/* What may come while a processor idles, or from ring 3. */
static bool interrupt(const struct trap_frame *f)
{
	if (f->vector < TRAP_TIMER || f->vector >= TRAPS)
		return false;
	if (f->vector == TRAP_SPURIOUS)
		return true; /* and is not ended: SDM vol. 3, 11.9 */
	if (f->vector == TRAP_TIMER)
		sched_tick();
	else if (f->vector >= TRAP_IRQ)
		irq_raised((unsigned)(f->vector - TRAP_IRQ));
	lapic_end();
	return true;
}

static void exception(struct trap_frame *f)
{
	if (f->vector == TRAP_MACHINE_CHECK)
		machine_check(f);
	else if (f->vector == TRAP_SYSCALL || gate_called(f))
		syscall(f);
	else
		process_refuse(f, 0);
}

/*
 * What needs no lock: a kick, whose sender may hold it and wait for the answer;
 * and a tick that finds nobody's turn over and nobody's sleep.
 */
static bool is_trifle(const struct trap_frame *f)
{
	if (f->vector == TRAP_KICK)
		tlb_answer();
	else if (f->vector != TRAP_TIMER || !sched_idle_tick())
		return false;
	lapic_end();
	return true;
}

void trap(struct trap_frame *f)
{
	if (!from_user(f) && f->vector < TRAP_TIMER && trap_fixup) {
		f->rip = trap_fixup;
		return;
	}
	if (!from_user(f) && f->vector < TRAP_TIMER)
		trap_die(f, f->vector == TRAP_PAGE_FAULT ? "page fault"
							 : "exception");
	if (is_trifle(f))
		return;
	kernel_lock();
	if (!interrupt(f))
		exception(f);
	trap_leave(f);
}
