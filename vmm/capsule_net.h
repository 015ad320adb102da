/* SPDX-License-Identifier: MIT */
/* A --net in the capsule is a network card of QEMU's, which tests/capsule/init
 * connects with a tap of the inner run's. */
#ifndef VMM_CAPSULE_NET_H
#define VMM_CAPSULE_NET_H

#include "vmm/capsule_vm.h"

/* What QEMU is to have of o->net. False: one line in *why. */
bool capsule_net_open(struct capsule_vm *v, const struct run_options *o,
		      struct complaint *why);
/* The options for the inner run. */
void capsule_net_args(struct words *w, const struct run_options *o);

#endif
