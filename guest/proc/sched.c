/* SPDX-License-Identifier: MIT */
/* The queue of the runnable, the list of sleepers, and the timer. */
#include "guest/proc/sched.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/dev/apic.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"

/* The runnable, in their order; and who sleeps, in none. */
static struct process *first, **last = &first;
static struct process *sleepers;
static uint64_t due = UINT64_MAX; /* when the first sleeper wants to wake */

static bool may_run(const struct process *p, const struct cpu *c)
{
	return p->pinned < 0 || &cpus[p->pinned] == c;
}

/* The first of the queue that may run on @c, taken out of it; or NULL. */
static struct process *take(const struct cpu *c)
{
	struct process **link = &first, *p;

	while ((p = *link) && !may_run(p, c))
		link = &p->queue;
	if (!p)
		return NULL;
	*link = p->queue;
	if (last == &p->queue)
		last = link;
	return p;
}

void sched_add(struct process *p)
{
	p->state = RUNNABLE;
	p->queue = NULL;
	*last = p;
	last = &p->queue;
	for (unsigned i = 0; i < cpu_count; i++) {
		if (cpus[i].running != cpus[i].idle || !may_run(p, &cpus[i]))
			continue;
		lapic_send(i, TRAP_KICK);
		return;
	}
}

/* Who has no base of FS or GS must not see another's. */
static void switch_to(struct cpu *c, struct process *old, struct process *new)
{
	new->state = RUNNING;
	new->cpu = c->number;
	c->running = new;
	c->stack = c->tss.rsp[0] = stack_top(new);
	tlb_load(new->space);
	if ((old->fs_base | new->fs_base) && !broken("segments"))
		wrmsr(MSR_FS_BASE, new->fs_base);
	if ((old->gs_base | new->gs_base) && !broken("segments"))
		wrmsr(MSR_GS_BASE, new->gs_base);
	counts.switches++;
	context_switch(&old->rsp, new->rsp);
}

void schedule(void)
{
	struct process *me = current();
	struct cpu *c = this_cpu();
	struct process *next = take(c);

	if (!next)
		next = c->idle;
	c->resched = false;
	if (next == me)
		me->state = RUNNING;
	else
		switch_to(c, me, next);
}

void sched_yield(void)
{
	if (!first && may_run(current(), this_cpu()))
		return;
	sched_add(current());
	schedule();
}

/* The lock is free for a moment: who waits for it elsewhere must see that. */
bool sched_breathe(void)
{
	uint64_t moment = 64;

	kernel_unlock();
	__asm__ volatile("sti; 1: pause; loop 1b; cli"
			 : "+c"(moment)::"memory");
	kernel_lock();
	sched_yield();
	return !process_dying();
}

void sleep_until(const void *channel, uint64_t tick)
{
	struct process *me = current();

	if (lapic_ticks >= tick)
		return;
	me->channel = channel;
	me->wake_tick = tick;
	if (tick < due)
		due = tick;
	me->state = SLEEPING;
	me->queue = sleepers;
	sleepers = me;
	schedule();
}

void sleep_on(const void *channel)
{
	sleep_until(channel, UINT64_MAX);
}

/* And whose time has come; of the others, who is the next? */
void wake(const void *channel)
{
	struct process **link = &sleepers, *p;
	uint64_t next = UINT64_MAX;

	while ((p = *link)) {
		if (p->channel == channel || p->wake_tick <= lapic_ticks) {
			*link = p->queue;
			sched_add(p);
			continue;
		}
		if (p->wake_tick < next)
			next = p->wake_tick;
		link = &p->queue;
	}
	__atomic_store_n(&due, next, __ATOMIC_RELAXED);
}

/* The boot processor keeps the time, and minds the sleepers. */
bool sched_idle_tick(void)
{
	struct cpu *c = this_cpu();

	if (c->number == 0)
		lapic_ticks++;
	return c->running == c->idle &&
	       (c->number ||
		lapic_ticks < __atomic_load_n(&due, __ATOMIC_RELAXED));
}

void sched_tick(void)
{
	struct cpu *c = this_cpu();

	current()->ticks++;
	c->resched = true;
	if (c->number == 0 && lapic_ticks >= due)
		wake(NULL);
}

/*
 * An interrupt that comes after the queue was found empty ends the hlt: sti
 * takes effect only behind the instruction that follows it (SDM vol. 2, STI).
 */
_Noreturn void sched_idle(void)
{
	kernel_lock();
	for (;;) {
		current()->state = RUNNABLE;
		schedule();
		kernel_unlock();
		__asm__ volatile("sti; hlt; cli" ::: "memory");
		kernel_lock();
	}
}
