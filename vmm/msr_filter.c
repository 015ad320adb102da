/* SPDX-License-Identifier: MIT */
#include "vmm/msr_filter.h"

#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define VMX_BASIC    0x480 /* and those that follow: SDM volume 4, table 2-2 */
#define VMX_MSRS     0x20
#define SVM_CR	     0xc0010114 /* AMD's manual, volume 2, 15.30 */
#define SVM_HSAVE_PA 0xc0010117

void msr_filter_set(int fd)
{
	/* a bit each: 0 is "refuse" */
	uint8_t none[VMX_MSRS / 8] = { 0 };
	const uint32_t both = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE;
	struct kvm_msr_filter f = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges = { { both, VMX_MSRS, VMX_BASIC, none },
			    { both, 1, SVM_CR, none },
			    { both, 1, SVM_HSAVE_PA, none } },
	};

	ioctl(fd, KVM_X86_SET_MSR_FILTER, &f);
}
