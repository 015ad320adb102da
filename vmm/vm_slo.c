/* SPDX-License-Identifier: MIT */
/* --mem-slo: a VM's pressure in, its resident cap out. */
#include "vmm/clock.h"
#include "vmm/vm.h"

/* The second that has just passed. False: it says nothing about the guest, for
 * it was paused, or this is the first. */
static bool look_back(struct vm *vm, struct slo_second *t)
{
	struct pressure_report p = stage2_pressure(vm->stage2);
	struct stage2_counters c;
	int64_t now = clock_us(), since = vm->slo_us;
	uint64_t stalled = p.some.total_us - vm->slo_stalled_us;

	stage2_counters(vm->stage2, &c);
	vm->slo_us = now;
	vm->slo_stalled_us = p.some.total_us;
	*t = (struct slo_second){
		.now = (double)stalled * 100 / (double)(now - since),
		.avg10 = p.some.avg10,
		.resident = c.resident << PAGE_SHIFT,
		.floor = options_floor(vm->options),
		.ceiling = vm->operator_cap,
	};
	return since && !vm->paused;
}

/* The cap is set under the lock, as ctl does, so that the last word on it is
 * the one that status has. */
void vm_slo_step(struct vm *vm)
{
	struct slo_second t;

	pthread_mutex_lock(&vm->lock);
	if (look_back(vm, &t))
		stage2_set_limit(vm->stage2,
				 slo_step(&vm->slo, &t) >> PAGE_SHIFT);
	pthread_mutex_unlock(&vm->lock);
}
