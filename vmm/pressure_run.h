/* SPDX-License-Identifier: MIT */
#ifndef VMM_PRESSURE_RUN_H
#define VMM_PRESSURE_RUN_H

#include "vmm/ctl_call.h"
#include "vmm/pressure_report.h"

/*
 * Play r->scenario on the VM at @t, showing on stderr how it copes, and leave
 * the VM as it was. Of *r the scenario, the names and the seed are given. What
 * ends a process (SIGINT, SIGTERM, SIGHUP) ends the run: its number; else 0, or
 * -1: it could not begin, and that was complained about.
 */
int pressure_run(struct pressure_run_report *r, const struct target *t);

#endif
