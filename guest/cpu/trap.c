/* SPDX-License-Identifier: MIT */
/* How ring 0 is entered and left: each exception and interrupt, by vector. */
#include "guest/cpu/trap.h"

#include <assert.h>

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/dev/apic.h"
#include "guest/dev/lab.h"
#include "guest/lib/base.h"
#include "guest/proc/syscall.h"
#include "guest/proc/sched.h"

/* SDM vol. 3, 6.14.1. */
#define GATE_INTERRUPT 0x8eul /* present, clears IF, not callable from ring 3 */

extern const uintptr_t trap_vectors[TRAPS];

static_assert(TRAP_SYSCALL == 60 && TRAPS == 59, "trap.S has numbers");

uintptr_t trap_fixup;

static uint64_t idt[TRAPS][2];

void trap_init(void)
{
	for (unsigned i = 0; i < TRAPS; i++) {
		uint64_t to = trap_vectors[i];
		uint64_t ist = i == TRAP_DOUBLE_FAULT ? IST_DOUBLE_FAULT : 0;

		idt[i][0] = (to & 0xffff) | KERNEL_CS << 16 | ist << 32 |
			    GATE_INTERRUPT << 40 | (to >> 16 & 0xffff) << 48;
		idt[i][1] = to >> 32;
	}
	load_idt(&(struct table_register){ sizeof(idt) - 1, (uintptr_t)idt });
}

/* All of @f, in the order of struct trap_frame. */
static void dump(const struct trap_frame *f)
{
	const uint64_t *word = (const uint64_t *)f;

	for (unsigned i = 0; i < sizeof(*f) / sizeof(*word); i++)
		print("%s %016lx", i % 4 ? "" : "\n ", word[i]);
	print("\n  cr2 %016lx  cr3 %016lx\n", read_cr2(), read_cr3());
}

/*
 * With no IDT the next fault cannot be delivered, nor the double fault that
 * follows from it (SDM vol. 3, 6.15): shutdown, which a hypervisor reports.
 */
static _Noreturn void trap_die(const struct trap_frame *f)
{
	static bool dying; /* then what follows has failed already */

	if (!dying) {
		dying = true;
		print("kernel: exception in ring 0, vector %lu, error %#lx, "
		      "rip %#lx, rsp %#lx",
		      f->vector, f->error, f->rip, f->rsp);
		dump(f);
		lab_finish();
	}
	load_idt(&(struct table_register){ 0 });
	*(volatile int *)(USER_END - 8) = 0;
	cpu_stop();
}

void trap_leave(struct trap_frame *f)
{
	if (from_user(f)) {
		if (this_cpu()->resched && !broken("switch"))
			sched_yield();
		if (process_dying())
			process_exit(STATUS_KILLED + SIGNAL_KILL);
	}
	kernel_unlock();
}

void trap_page_fault(struct trap_frame *f)
{
	kernel_lock();
	page_fault(f);
	trap_leave(f);
}

/*
 * What needs no lock: a kick, whose sender may hold it and wait for the answer;
 * and a tick that finds nobody's turn over and nobody's sleep. What is spurious
 * is not even ended (SDM vol. 3, 11.9).
 */
static bool is_trifle(const struct trap_frame *f)
{
	if (f->vector == TRAP_SPURIOUS)
		return true;
	if (f->vector == TRAP_KICK)
		tlb_answer();
	else if (f->vector != TRAP_TIMER || !sched_idle_tick())
		return false;
	lapic_end();
	return true;
}

static void interrupt(const struct trap_frame *f)
{
	if (f->vector == TRAP_TIMER)
		sched_tick();
	else
		irq_raised((unsigned)(f->vector - TRAP_IRQ));
	lapic_end();
}

/* Interrupts come from ring 3, or while a processor idles. */
void trap(struct trap_frame *f)
{
	if (!from_user(f) && f->vector < TRAP_TIMER) {
		if (!trap_fixup)
			trap_die(f);
		f->rip = trap_fixup;
		return;
	}
	if (is_trifle(f))
		return;
	kernel_lock();
	if (f->vector == TRAP_SYSCALL || gate_called(f))
		syscall(f);
	else if (f->vector == TRAP_MACHINE_CHECK)
		machine_check(f);
	else if (f->vector < TRAP_TIMER)
		process_refuse(f, 0);
	else
		interrupt(f);
	trap_leave(f);
}
