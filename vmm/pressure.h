/* SPDX-License-Identifier: MIT */
#ifndef VMM_PRESSURE_H
#define VMM_PRESSURE_H

#include <stdio.h>

/* `twofold pressure VM SCENARIO`; @argv: the words behind "pressure". The exit
 * status: 0 the guest coped, 1 it did not or the run was cut short, 2 what was
 * asked for makes no sense, 128 + the signal that ended it. */
int cmd_pressure(int argc, char **argv);

/* pressure_help.c: how a scenario is written, and what is measured. */
void pressure_help(FILE *to);

#endif
