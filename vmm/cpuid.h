/* SPDX-License-Identifier: MIT */
/* What a guest's CPUID says, from what KVM can do. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <linux/kvm.h>

/*
 * Change @c, KVM's own list, to that of vCPU @index of @cpus: one package of
 * so many cores; under a hypervisor; without nested virtualization (never VMX
 * or SVM: CVE-2026-23401 and its like).
 */
void cpuid_fit(struct kvm_cpuid2 *c, unsigned index, unsigned cpus);

#endif
