/* SPDX-License-Identifier: MIT */
#ifndef VMM_MSR_FILTER_H
#define VMM_MSR_FILTER_H

/*
 * Have KVM refuse, for all vCPUs of the VM @fd, the MSRs of nested
 * virtualization, whatever its own idea of them is: the guest gets #GP. What
 * KVM does not know gets that anyway. A KVM without filters has its own idea.
 */
void msr_filter_set(int fd);

#endif
