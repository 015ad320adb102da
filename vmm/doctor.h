/* SPDX-License-Identifier: MIT */
/* `twofold doctor`: what this host offers, what is missing, how to fix it. */
#ifndef VMM_DOCTOR_H
#define VMM_DOCTOR_H

#include "vmm/options.h"

enum health { HEALTH_OK, HEALTH_WARN, HEALTH_FAIL };

struct finding {
	enum health health;
	struct complaint text; /* what is there or is missing, and the fix */
};

struct doctor_probe {
	const char *name;
	void (*look)(struct finding *f);
};

/* All probes, in the order of the report; the last has no name. */
extern const struct doctor_probe doctor_probes[];

/*
 * The report: one line a probe, or with --json one document. @argv: the words
 * behind "doctor". The exit status: 0 if `run` can work here in some way, 1
 * if not, 2 for a wrong command line.
 */
int cmd_doctor(int argc, char **argv);

#endif
