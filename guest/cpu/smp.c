/* SPDX-License-Identifier: MIT */
/*
 * INIT and SIPI (SDM vol. 3, 9.4): a started processor begins in real mode at
 * the page that the SIPI names. start.S takes it from there to cpu_main, on
 * the stack of its idle process.
 */
#include "guest/cpu/smp.h"

#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/table.h"
#include "guest/proc/syscall.h"
#include "guest/proc/sched.h"

#define TRAMPOLINE 0x8000u /* below the first MiB, as a SIPI must name it */

struct cpu cpus[CPUS];
unsigned cpu_count = 1;
bool kernel_locked;

/* start.S */
extern const uint8_t ap_trampoline[], ap_trampoline_end[];
extern uint8_t boot_stack[];
extern uint64_t ap_stack;

/* For start.S: a processor that was started. */
_Noreturn void cpu_main(void);

static void adopt(struct cpu *c, struct process *idle)
{
	idle->cpu = c->number;
	idle->pinned = (int)c->number;
	idle->state = RUNNING;
	c->idle = c->running = idle;
	c->stack = c->tss.rsp[0] = stack_top(idle);
}

void smp_init_boot(void)
{
	adopt(&cpus[0], (struct process *)boot_stack);
	segment_init(&cpus[0]);
}

void cpu_main(void)
{
	struct cpu *c = this_cpu();

	cpu_init();
	segment_init(c);
	trap_init();
	write_cr3(kernel_root.v);
	lapic_init_cpu();
	gate_init_cpu();
	__atomic_store_n(&cpu_count, c->number + 1, __ATOMIC_RELEASE);
	sched_idle();
}

/* One after the other: they share the word that tells them their stack. */
void smp_start(unsigned count)
{
	memcpy(direct((pa_t){ TRAMPOLINE }), ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	for (unsigned i = 1; i < count && i < CPUS; i++) {
		struct process *idle = process_new("idle", NULL);

		if (!idle)
			panic("no memory for processor %u", i);
		idle->parent = NULL;
		cpus[i].number = i;
		adopt(&cpus[i], idle);
		ap_stack = stack_top(idle);
		lapic_send(i, LAPIC_INIT);
		lapic_send(i, LAPIC_STARTUP | TRAMPOLINE >> PAGE_SHIFT);
		while (__atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE) == i)
			__asm__ volatile("pause");
	}
}
