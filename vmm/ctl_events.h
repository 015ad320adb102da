/* SPDX-License-Identifier: MIT */
#ifndef VMM_CTL_EVENTS_H
#define VMM_CTL_EVENTS_H

#include "vmm/ctl_call.h"

/* `ctl VM events [--follow] [--json]`: what has happened, and what happens
 * until the VM is gone. The exit status. */
int ctl_events(const struct target *t, int argc, char **argv);

#endif
