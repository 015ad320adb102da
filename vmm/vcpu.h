/* SPDX-License-Identifier: MIT */
/* A vCPU among its own files: vcpu.c has its thread, vcpu_exit.c what it does at
 * an exit. Its own thread calls these; no lock held. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "vmm/vm.h"

/* Wait while the VM is paused. False: it has ended. */
bool vcpu_may_run(struct vcpu *v);
/* KVM_RUN has returned, and v->run says why. */
void vcpu_do_exit(struct vcpu *v);
/* End the VM with a report of a crash: what happened and where, one line. */
void vcpu_crash(struct vcpu *v, const char *what, uint64_t detail);

#endif
