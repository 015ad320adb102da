/* SPDX-License-Identifier: MIT */
/* One vCPU: its first state, its thread, and what to do at each exit. */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ept/deadline.h"
#include "ept/guest_mem.h"
#include "vmm/boot.h"
#include "vmm/clock.h"
#include "vmm/cpuid.h"
#include "vmm/machine_check.h"
#include "vmm/vm.h"

/* The vCPU whose exit this thread is handling. */
static _Thread_local struct vcpu *current;

#define CPUID_ENTRIES 128

/* Control registers and EFER: SDM volume 3, 2.5 and 2.2.1 */
#define CR0_PE	 (1u << 0)
#define CR0_PG	 (1u << 31)
#define CR4_PAE	 (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)

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

/*
 * Flat segments; not set: the IDT and the stack, and but for 64-bit mode the
 * GDT, which the guest must bring.
 */
static void set_segments(struct kvm_sregs *s, bool wide)
{
	const struct kvm_segment code = {
		.base = 0,
		.limit = 0xffffffff,
		.selector = BOOT_CODE,
		.type = 0xb,
		.present = 1,
		.s = 1,
		.db = !wide,
		.l = wide,
		.g = 1,
	};
	const struct kvm_segment data = {
		.base = 0,
		.limit = 0xffffffff,
		.selector = BOOT_DATA,
		.type = 0x3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	const struct kvm_segment task = {
		.base = 0,
		.limit = 0x67,
		.type = 0xb,
		.present = 1,
	};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->tr = task;
}

int vcpu_set_entry(struct vcpu *v, const struct boot_cpu *b)
{
	const struct kvm_regs regs = {
		.rip = b->rip,
		.rax = b->rax,
		.rbx = b->rbx,
		.rsi = b->rsi,
		.rflags = 0x2,
	};
	bool wide = b->cr3;
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return -errno;
	set_segments(&s, wide);
	s.cr0 = wide ? CR0_PE | CR0_PG : CR0_PE;
	s.cr3 = b->cr3;
	s.cr4 = wide ? CR4_PAE : 0;
	s.efer = wide ? EFER_LME | EFER_LMA : 0;
	if (wide) {
		s.gdt.base = BOOT_GDT;
		s.gdt.limit = BOOT_DATA + 7;
	}
	if (ioctl(v->fd, KVM_SET_SREGS, &s) ||
	    ioctl(v->fd, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

bool vcpu_current_cr3(uint64_t *cr3)
{
	struct kvm_sregs s;

	if (!current || ioctl(current->fd, KVM_GET_SREGS, &s))
		return false;
	*cr3 = s.cr3;
	return true;
}

static void do_port(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *at = (uint8_t *)run + run->io.data_offset;
	unsigned len = run->io.size;

	for (uint32_t i = 0; i < run->io.count; i++, at += len) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, at, len);
			bus_write(&v->vm->ports, run->io.port, len, value);
		} else {
			value = bus_read(&v->vm->ports, run->io.port, len);
			memcpy(at, &value, len);
		}
	}
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

/* Wait while paused. False: the VM has ended. */
static bool may_run(struct vcpu *v)
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

/*
 * The emulated path may meet RAM whose page is not there. The access gets the
 * page's real bytes, never invented ones: while they cannot be had, the VM is
 * paused. A machine check would come behind the access: too late.
 */
static void pause_if_poisoned(struct vcpu *v, gpa_t at)
{
	char text[96];

	if (pte_kind(stage2_entry(v->vm->stage2, gfn_of(at))) != PTE_POISONED)
		return;
	snprintf(text, sizeof(text),
		 "gpa %#llx is lost, and an emulated access needs it",
		 (unsigned long long)at.v);
	fprintf(stderr, "twofold: paused: %s\n", text);
	vm_pause(v->vm, text);
}

static void do_ram(struct vcpu *v, gpa_t at)
{
	uint8_t *data = v->run->mmio.data;
	unsigned len = v->run->mmio.len;

	while (!(v->run->mmio.is_write
			 ? guest_write(v->vm->stage2, at, data, len)
			 : guest_read(v->vm->stage2, at, data, len))) {
		pause_if_poisoned(v, at);
		if (!may_run(v))
			return;
	}
}

static void do_mmio(struct vcpu *v)
{
	gpa_t at = { v->run->mmio.phys_addr };
	unsigned len = v->run->mmio.len;
	uint64_t value = 0;

	if (ram_contains(&v->vm->ram, at, len)) {
		do_ram(v, at);
	} else if (shares_find(&v->vm->shares, at, len)) {
		if (!v->run->mmio.is_write)
			do_ram(v, at);
		else
			atomic_fetch_add(&v->vm->share_writes, 1);
	} else if (v->run->mmio.is_write) {
		memcpy(&value, v->run->mmio.data, len);
		bus_write(&v->vm->mmio, at.v, len, value);
	} else {
		value = bus_read(&v->vm->mmio, at.v, len);
		memcpy(v->run->mmio.data, &value, len);
	}
}

/* The report of a crash: what happened and where, one line. */
static void crash(struct vcpu *v, const char *what, uint64_t detail)
{
	struct kvm_regs r = { 0 };
	struct kvm_sregs s = { 0 };

	ioctl(v->fd, KVM_GET_REGS, &r);
	ioctl(v->fd, KVM_GET_SREGS, &s);
	fprintf(stderr,
		"twofold: guest crashed: %s (%#llx) on vCPU %u: rip %#llx "
		"rsp %#llx cr2 %#llx cr3 %#llx\n",
		what, (unsigned long long)detail, v->index,
		(unsigned long long)r.rip, (unsigned long long)r.rsp,
		(unsigned long long)s.cr2, (unsigned long long)s.cr3);
	vm_end(v->vm, VM_CRASH, 126);
}

static void do_exit(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		do_port(v);
		break;
	case KVM_EXIT_MMIO:
		do_mmio(v);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		crash(v, "triple fault", 0);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		crash(v, "KVM could not emulate an instruction",
		      run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		crash(v, "the CPU refused to enter the guest",
		      run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		crash(v, "unexpected exit", run->exit_reason);
		break;
	}
}

static void *vcpu_run(void *arg)
{
	struct vcpu *v = arg;

	current = v;
	atomic_store(&v->tid, (uint32_t)gettid());
	pthread_setname_np(pthread_self(), "vcpu");
	stage2_enter_vcpu(v->vm->stage2);
	while (may_run(v)) {
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
			do_exit(v);
		else if (r != EINTR && r != EAGAIN)
			crash(v, strerror(r), (uint64_t)r);
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
