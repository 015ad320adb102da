/* SPDX-License-Identifier: MIT */
#include "guest/proc/sched.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/lock.h"
#include "guest/cpu/smp.h"
#include "guest/cpu/tlb.h"
#include "guest/dev/lapic.h"
#include "guest/lib/counts.h"
#include "guest/proc/sleep.h"

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
		smp_kick(&cpus[i]);
		return;
	}
}

/* The bases are registers of their own; who has none must not see another's. */
static void load_bases(const struct process *old, const struct process *new)
{
	if (old->fs_base | new->fs_base)
		wrmsr(MSR_FS_BASE, new->fs_base);
	if (old->gs_base | new->gs_base)
		wrmsr(MSR_GS_BASE, new->gs_base);
}

static void switch_to(struct cpu *c, struct process *old, struct process *new)
{
	new->state = RUNNING;
	new->cpu = c->number;
	c->running = new;
	c->stack = c->tss.rsp[0] = stack_top(new);
	tlb_load(new->space);
	load_bases(old, new);
	counts.switches++;
	context_switch(&old->rsp, new->rsp);
}

static void schedule(void)
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

void sched_breathe(void)
{
	kernel_unlock();
	__asm__ volatile("sti; nop; cli" ::: "memory");
	kernel_lock();
	sched_yield();
}

_Noreturn void sched_leave(void)
{
	schedule();
	__builtin_unreachable();
}

static void go_to_sleep(const void *channel, uint64_t tick)
{
	struct process *me = current();

	me->channel = channel;
	me->wake_tick = tick;
	if (tick && tick < due)
		due = tick;
	me->state = SLEEPING;
	me->queue = sleepers;
	sleepers = me;
	schedule();
}

void sleep_on(const void *channel)
{
	go_to_sleep(channel, 0);
}

void sleep_until(const void *channel, uint64_t tick)
{
	if (lapic_ticks() < tick)
		go_to_sleep(channel, tick);
}

/* Everyone asleep for whom @wanted says so runs again. */
static void rouse_all(bool (*wanted)(const struct process *p, uint64_t what),
		      uint64_t what)
{
	struct process **link = &sleepers, *p;

	while ((p = *link)) {
		if (!wanted(p, what)) {
			link = &p->queue;
			continue;
		}
		*link = p->queue;
		sched_add(p);
	}
}

static bool is_on(const struct process *p, uint64_t channel)
{
	return (uintptr_t)p->channel == channel;
}

void wake(const void *channel)
{
	rouse_all(is_on, (uintptr_t)channel);
}

static bool is_due(const struct process *p, uint64_t tick)
{
	return p->wake_tick && p->wake_tick <= tick;
}

static bool is_it(const struct process *p, uint64_t which)
{
	return (uintptr_t)p == which;
}

void sched_rouse(struct process *p)
{
	rouse_all(is_it, (uintptr_t)p);
}

/* The boot processor keeps the time, and minds the sleepers. */
bool sched_idle_tick(void)
{
	struct cpu *c = this_cpu();

	if (c->number == 0)
		lapic_tick();
	return c->running == c->idle &&
	       (c->number ||
		lapic_ticks() < __atomic_load_n(&due, __ATOMIC_RELAXED));
}

/* The earliest tick that a sleeper waits for. */
static void set_due(void)
{
	uint64_t tick = UINT64_MAX;

	for (struct process *p = sleepers; p; p = p->queue)
		if (p->wake_tick && p->wake_tick < tick)
			tick = p->wake_tick;
	due = tick;
}

void sched_tick(void)
{
	struct cpu *c = this_cpu();

	current()->ticks++;
	c->resched = true;
	if (c->number == 0 && lapic_ticks() >= due) {
		rouse_all(is_due, lapic_ticks());
		set_due();
	}
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
