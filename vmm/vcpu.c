/* SPDX-License-Identifier: MIT */
/* One vCPU and its thread: made, run, asked, kicked. */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ept/deadline.h"
#include "vmm/clock.h"
#include "vmm/cpuid.h"
#include "vmm/machine_check.h"
#include "vmm/vcpu.h"

/* The vCPU whose exit this thread is handling. */
static _Thread_local struct vcpu *current;

#define CPUID_ENTRIES 128

static int set_cpuid(struct vcpu *v)
{
	struct kvm_cpuid2 *c =
		calloc(1, sizeof(*c) + CPUID_ENTRIES * sizeof(c->entries[0]));
	int r = 0;

	if (!c)
		return -ENOMEM;
	c->nent = CPUID_ENTRIES;
	if (ioctl(v->vm->kvm, KVM_GET_SUPPORTED_CPUID, c))
		r = -errno;
	cpuid_fit(c, v->index, v->vm->options->cpus);
	if (!r && ioctl(v->fd, KVM_SET_CPUID2, c))
		r = -errno;
	free(c);
	return r;
}

/* Guest and host read one and the same TSC, so that their trace records lie on
 * one axis. Where KVM cannot, the guest's times are off by a constant. */
static void share_tsc(struct vcpu *v)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL,
					.attr = KVM_VCPU_TSC_OFFSET,
					.addr = (uintptr_t)&offset };

	ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr);
}

int vcpu_create(struct vcpu *v)
{
	int r;

	v->fd = ioctl(v->vm->fd, KVM_CREATE_VCPU, v->index);
	if (v->fd < 0)
		return -errno;
	testimony_init(&v->testimony);
	v->run = mmap(NULL, v->vm->run_bytes, PROT_READ | PROT_WRITE,
		      MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		r = -errno;
		testimony_destroy(&v->testimony);
		close(v->fd);
		return r;
	}
	share_tsc(v);
	r = set_cpuid(v);
	if (!r && v->vm->options->on_swap_error == SWAP_ERROR_POISON)
		r = machine_check_setup(v);
	if (r)
		vcpu_destroy(v);
	return r;
}

void vcpu_destroy(struct vcpu *v)
{
	munmap(v->run, v->vm->run_bytes);
	testimony_destroy(&v->testimony);
	close(v->fd);
}

bool vcpu_current_cr3(uint64_t *cr3)
{
	struct kvm_sregs s;

	if (!current || ioctl(current->fd, KVM_GET_SREGS, &s))
		return false;
	*cr3 = s.cr3;
	return true;
}

/* Somebody waits for our registers: only this thread can read them while the
 * vCPU runs. The VM's lock is held. */
static void answer(struct vcpu *v)
{
	struct kvm_sregs s = { 0 };

	if (!v->asked)
		return;
	ioctl(v->fd, KVM_GET_SREGS, &s);
	v->paging = (struct vcpu_paging){ s.cr0, s.cr3, s.cr4, s.efer };
	v->asked = false;
	pthread_cond_broadcast(&v->vm->changed);
}

bool vcpu_ask_paging(struct vcpu *v, struct vcpu_paging *to,
		     unsigned timeout_ms)
{
	const struct timespec until = deadline_in(timeout_ms);
	struct vm *vm = v->vm;
	int r = 0;

	pthread_mutex_lock(&vm->lock);
	v->asked = true;
	if (v->started)
		vcpu_kick(v);
	pthread_cond_broadcast(&vm->changed);
	while (v->asked && vm->end == VM_RUNNING && !r)
		r = pthread_cond_clockwait(&vm->changed, &vm->lock,
					   CLOCK_MONOTONIC, &until);
	*to = v->paging;
	r = v->asked;
	v->asked = false;
	pthread_mutex_unlock(&vm->lock);
	return !r;
}

bool vcpu_may_run(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool go;

	pthread_mutex_lock(&vm->lock);
	v->run->immediate_exit = 0;
	answer(v);
	while (vm->paused && vm->end == VM_RUNNING) {
		v->idle = true;
		pthread_cond_broadcast(&vm->changed);
		pthread_cond_wait(&vm->changed, &vm->lock);
		answer(v);
	}
	go = vm->end == VM_RUNNING;
	v->idle = !go;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	return go;
}

static void *vcpu_run(void *arg)
{
	struct vcpu *v = arg;

	current = v;
	atomic_store(&v->tid, (uint32_t)gettid());
	pthread_setname_np(pthread_self(), "vcpu");
	stage2_enter_vcpu(v->vm->stage2);
	while (vcpu_may_run(v)) {
		int r;

		witness_testify(v);
		r = ioctl(v->fd, KVM_RUN, 0) ? errno : 0;
		if (!atomic_load(&v->vm->first_exit_us))
			atomic_store(&v->vm->first_exit_us,
				     (uint64_t)(clock_us() - v->vm->start_us));
		machine_check_deliver(v);
		/* What a VM that has ended still says may stem from a page
		 * that could not be had (stage2_stop). */
		if (vm_ended(v->vm))
			break;
		if (r == 0)
			vcpu_do_exit(v);
		else if (r != EINTR && r != EAGAIN)
			vcpu_crash(v, strerror(r), (uint64_t)r);
	}
	witness_leave(v);
	return NULL;
}

int vcpu_start(struct vcpu *v)
{
	int r;

	pthread_mutex_lock(&v->vm->lock);
	r = -pthread_create(&v->thread, NULL, vcpu_run, v);
	v->started = r == 0;
	pthread_mutex_unlock(&v->vm->lock);
	return r;
}

void vcpu_kick(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(v->thread, SIGUSR1);
}
