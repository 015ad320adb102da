/* SPDX-License-Identifier: MIT */
/*
 * Machine checks: a vCPU that touches a poisoned page. The host tells its
 * thread by SIGBUS, out of KVM_RUN; the guest is told as the CPU would, by a
 * machine check whose bank names the address (SDM vol. 3B, 16.9.3.2: software
 * recoverable, action required).
 */
#ifndef VMM_MACHINE_CHECK_H
#define VMM_MACHINE_CHECK_H

#include <stdbool.h>

struct vcpu;

/* Once a process: catch SIGBUS. One that no poisoned page causes ends the
 * process as before. */
void machine_check_catch(void);

/* Once a vCPU, before it runs: its banks. 0 or -errno. */
int machine_check_setup(struct vcpu *v);

/*
 * Called by a vCPU's thread after each KVM_RUN. Has it touched a poisoned page?
 * Then the guest gets its machine check, or, if it takes none, the VM is
 * paused.
 */
void machine_check_deliver(struct vcpu *v);

#endif
