/* SPDX-License-Identifier: MIT */
/* Where a vCPU begins: the state in which a guest finds it. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/boot.h"
#include "vmm/vm.h"

/* Control registers and EFER: SDM volume 3, 2.5 and 2.2.1 */
#define CR0_PE	 (1u << 0)
#define CR0_PG	 (1u << 31)
#define CR4_PAE	 (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)

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
