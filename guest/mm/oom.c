/* SPDX-License-Identifier: MIT */
#include "guest/mm/oom.h"

#include "guest/dev/lapic.h"
#include "guest/lib/counts.h"
#include "guest/lib/print.h"
#include "guest/mm/reclaim.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

/* How long the killed may take to give back what they have. */
#define WAIT_TICKS 2u

/* Process 1 has less than any other. */
static uint64_t pages_of(const struct process *p)
{
	return p->pid == 1 ? 0 : 1 + p->space->resident + p->space->swapped;
}

/* Who is dying already, else who has most. */
static struct process *choose(void)
{
	struct process *worst = NULL, *p;

	for (p = processes; p; p = p->next) {
		if (!p->space || p->state == ZOMBIE)
			continue;
		if (p->signal)
			return p;
		if (!worst || pages_of(p) > pages_of(worst))
			worst = p;
	}
	return worst;
}

bool oom_kill(void)
{
	struct process *p = choose();

	if (p && !p->signal) {
		print("kernel: out of memory: %s (pid %u) is killed: it has "
		      "most, %lu pages in memory and %lu in swap\n",
		      p->name, p->pid, p->space->resident, p->space->swapped);
		counts.oom_kills++;
		process_kill(p->pid, SIGNAL_KILL);
	}
	if (!p || p == current())
		return false;
	sleep_until(&counts.oom_kills, lapic_ticks() + WAIT_TICKS);
	return true;
}
