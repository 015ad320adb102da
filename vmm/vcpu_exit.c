/* SPDX-License-Identifier: MIT */
/* What is to be done when a vCPU leaves the guest: its accesses to devices, and
 * those to memory that KVM emulates; crashes. */
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ept/guest_mem.h"
#include "vmm/vcpu.h"

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
		if (!vcpu_may_run(v))
			return;
	}
}

static void do_register(struct vcpu *v, gpa_t at, unsigned len)
{
	uint64_t value = 0;

	atomic_fetch_add(&v->vm->mmio_exits, 1);
	if (v->run->mmio.is_write) {
		memcpy(&value, v->run->mmio.data, len);
		bus_write(&v->vm->mmio, at.v, len, value);
	} else {
		value = bus_read(&v->vm->mmio, at.v, len);
		memcpy(v->run->mmio.data, &value, len);
	}
}

static void do_mmio(struct vcpu *v)
{
	gpa_t at = { v->run->mmio.phys_addr };
	unsigned len = v->run->mmio.len;

	if (ram_contains(&v->vm->ram, at, len)) {
		do_ram(v, at);
	} else if (shares_find(&v->vm->shares, at, len)) {
		if (!v->run->mmio.is_write)
			do_ram(v, at);
		else
			atomic_fetch_add(&v->vm->share_writes, 1);
	} else {
		do_register(v, at, len);
	}
}

void vcpu_crash(struct vcpu *v, const char *what, uint64_t detail)
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

void vcpu_do_exit(struct vcpu *v)
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
		vcpu_crash(v, "triple fault", 0);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		vcpu_crash(v, "KVM could not emulate an instruction",
			   run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		vcpu_crash(v, "the CPU refused to enter the guest",
			   run->fail_entry.hardware_entry_failure_reason);
		break;
	default:
		vcpu_crash(v, "unexpected exit", run->exit_reason);
		break;
	}
}
