/* SPDX-License-Identifier: MIT */
#ifndef VMM_RUN_H
#define VMM_RUN_H

/* `twofold run`; @argv: the words behind "run". The exit status. */
int cmd_run(int argc, char **argv);

#endif
