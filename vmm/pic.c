/* SPDX-License-Identifier: MIT */
#include "vmm/pic.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

static bool set_base(int vm_fd, unsigned chip_id, unsigned vector)
{
	struct kvm_irqchip chip = { .chip_id = chip_id };

	if (ioctl(vm_fd, KVM_GET_IRQCHIP, &chip))
		return false;
	chip.chip.pic.irq_base = (__u8)vector;
	return !ioctl(vm_fd, KVM_SET_IRQCHIP, &chip);
}

bool pic_begin(int vm_fd)
{
	return set_base(vm_fd, KVM_IRQCHIP_PIC_MASTER, 0x08) &&
	       set_base(vm_fd, KVM_IRQCHIP_PIC_SLAVE, 0x70);
}
