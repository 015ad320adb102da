/* SPDX-License-Identifier: MIT */
#include <linux/kvm.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "devices/devices.h"
#include "ept/guest_mem.h"
#include "vmm/acpi.h"
#include "vmm/vm.h"

/* Bits of CR0 that a reset leaves: SDM volume 3, table 10-1. */
#define CR0_RESET 0x60000010u
#define FLAGS_1	  0x2u /* reads as one */

/* The firmware's way back: real mode, the paragraph of @vector in CS. */
static void wake(struct vcpu *v, uint32_t vector)
{
	const struct kvm_regs regs = { .rip = vector & 0xf, .rflags = FLAGS_1 };
	struct kvm_segment data = {
		.limit = 0xffff, .type = 0x3, .present = 1, .s = 1
	};
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cs = data;
	s.cs.type = 0xb;
	s.cs.selector = (uint16_t)(vector >> 4);
	s.cs.base = (uint64_t)s.cs.selector << 4;
	s.gdt = s.idt = (struct kvm_dtable){ .limit = 0xffff };
	s.cr0 = CR0_RESET;
	s.cr3 = s.cr4 = s.efer = 0;
	ioctl(v->fd, KVM_SET_SREGS, &s);
	ioctl(v->fd, KVM_SET_REGS, &regs);
}

void vm_suspend(struct vm *vm)
{
	struct pollfd ended = { .fd = vm->ended, .events = POLLIN };
	int ms = rtc_alarm(vm->rtc);
	uint32_t vector;

	if (!vm->options->kut || ms < 0 ||
	    !pthread_equal(pthread_self(), vm->vcpu[0].thread))
		return;
	if (poll(&ended, 1, ms) == 0 &&
	    guest_read(vm->stage2, (gpa_t){ BOOT_ACPI + ACPI_FACS_WAKING },
		       &vector, sizeof(vector)))
		wake(&vm->vcpu[0], vector);
}
