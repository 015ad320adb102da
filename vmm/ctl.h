/* SPDX-License-Identifier: MIT */
#ifndef VMM_CTL_H
#define VMM_CTL_H

/* `twofold ctl VM VERB [ARGS]`; @argv: the words behind "ctl". The exit
 * status: 0, 1 what was asked for failed, 2 it was not understood. */
int cmd_ctl(int argc, char **argv);

#endif
