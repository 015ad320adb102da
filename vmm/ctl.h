/* SPDX-License-Identifier: MIT */
#ifndef VMM_CTL_H
#define VMM_CTL_H

#include "vmm/command.h"
#include "vmm/ctl_call.h"

/* What may be asked of a VM; the last has no name. */
struct verb {
	struct word word;
	/* @argv: the words behind the verb. The exit status. */
	int (*run)(const struct target *t, int argc, char **argv);
};

extern const struct verb verbs[];

/* `twofold ctl VM VERB [ARGS]`; @argv: the words behind "ctl". The exit
 * status: 0, 1 what was asked for failed, 2 it was not understood. */
int cmd_ctl(int argc, char **argv);

#endif
