/* SPDX-License-Identifier: MIT */
/*
 * What this host offers that a run cannot do without. Each probe tries it,
 * leaves nothing behind, and on failure says in *why what is wrong and what to
 * do about it, in one line.
 */
#ifndef VMM_PROBE_H
#define VMM_PROBE_H

#include "vmm/options.h"

/* Can /dev/kvm be opened, and is it KVM with the API that we speak? */
bool kvm_usable(struct complaint *why);

/* Is there a userfaultfd with all that stage 2 needs? */
bool uffd_usable(struct complaint *why);

#endif
