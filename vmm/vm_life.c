/* SPDX-License-Identifier: MIT */
/* A VM's life: its vCPUs are started, paused, ended and joined. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/dma.h"
#include "devices/lab.h"
#include "ept/deadline.h"
#include "vmm/events.h"
#include "vmm/vm.h"

int vm_start(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++) {
		int r = vcpu_start(&vm->vcpu[i]);

		if (r)
			return r;
	}
	return 0;
}

void vm_end(struct vm *vm, enum vm_end end, int status)
{
	uint64_t one = 1;

	pthread_mutex_lock(&vm->lock);
	if (vm->end == VM_RUNNING) {
		events_tell(vm->events, "ended", vm_end_name(end));
		vm->end = end;
		vm->status = status;
		pthread_cond_broadcast(&vm->changed);
		if (write(vm->ended, &one, sizeof(one)) < 0)
			abort(); /* a fresh eventfd takes one write */
	}
	pthread_mutex_unlock(&vm->lock);
}

bool vm_ended(struct vm *vm)
{
	bool ended;

	pthread_mutex_lock(&vm->lock);
	ended = vm->end != VM_RUNNING;
	pthread_mutex_unlock(&vm->lock);
	return ended;
}

static void kick_all(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].started)
			vcpu_kick(&vm->vcpu[i]);
	pthread_mutex_unlock(&vm->lock);
}

/* A thread that has ended but is still marked as started may be kicked: the
 * mark goes before the join. */
static void join(struct vcpu *v, const struct timespec *until)
{
	bool joined;

	pthread_mutex_lock(&v->vm->lock);
	joined = !v->started;
	v->started = false;
	pthread_mutex_unlock(&v->vm->lock);
	joined = joined ||
		 !pthread_clockjoin_np(v->thread, NULL, CLOCK_MONOTONIC, until);
	pthread_mutex_lock(&v->vm->lock);
	v->started = !joined;
	pthread_mutex_unlock(&v->vm->lock);
}

static void join_until(struct vm *vm, const struct timespec *until)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		join(&vm->vcpu[i], until);
}

void vm_quiesce(struct vm *vm)
{
	struct timespec until = deadline_in(1000);

	kick_all(vm);
	join_until(vm, &until);
}

/*
 * A vCPU, and KVM's workers that fault on its behalf, may wait for a page that
 * will never come: closing the userfaultfd lets them go. (KVM's destruction
 * waits for its workers.)
 */
void vm_stop(struct vm *vm)
{
	if (vm->swap)
		vm_inject_nothing(vm);
	if (vm->stage2)
		stage2_stop(vm->stage2);
	join_until(vm, NULL);
	for (unsigned i = 0; i < vm->slots; i++)
		virtio_stop(vm->slot[i].device);
	if (vm->dma)
		dma_stop(vm->dma);
	if (vm->lab)
		lab_drain(vm->lab);
}

void vm_pause(struct vm *vm, const char *reason)
{
	pthread_mutex_lock(&vm->lock);
	vm->paused = true;
	snprintf(vm->pause_reason, sizeof(vm->pause_reason), "%s", reason);
	pthread_mutex_unlock(&vm->lock);
	events_tell(vm->events, "paused", reason);
	kick_all(vm);
	if (vm->dma)
		dma_hold(vm->dma, true);
}

void vm_resume(struct vm *vm)
{
	events_tell(vm->events, "resumed", "");
	pthread_mutex_lock(&vm->lock);
	vm->paused = false;
	vm->pause_reason[0] = 0;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	dma_hold(vm->dma, false);
	if (vm->options->paging)
		stage2_retry(vm->stage2);
}

static bool all_idle(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (!vm->vcpu[i].idle)
			return false;
	return true;
}

bool vm_wait_idle(struct vm *vm, unsigned timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	int r = 0;

	pthread_mutex_lock(&vm->lock);
	while (!all_idle(vm) && !r)
		r = pthread_cond_clockwait(&vm->changed, &vm->lock,
					   CLOCK_MONOTONIC, &until);
	r = all_idle(vm);
	pthread_mutex_unlock(&vm->lock);
	return r;
}
