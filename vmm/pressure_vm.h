/* SPDX-License-Identifier: MIT */
/* The VM that a scenario is played on: what it was before, what is done to it,
 * and how it becomes again what it was. */
#ifndef VMM_PRESSURE_VM_H
#define VMM_PRESSURE_VM_H

#include "vmm/ctl_call.h"
#include "vmm/pressure_dial.h"
#include "vmm/pressure_hog.h"
#include "vmm/pressure_metric.h"

struct pressure_vm {
	const struct target *target;
	uint64_t seed;
	int64_t end_ms; /* of the run: nothing injected outlives it by much */
	/* as it was */
	uint64_t size, cap, floor; /* bytes */
	bool paused;
	int64_t balloon_mib;
	/* what was done to it */
	struct dial_state dial[DIALS];
	double set[DIALS]; /* bytes, as last asked for */
	bool injected;
	struct hog hog;
};

/* All of these: 0, or 1 the VM refuses, -1 it does not answer, with one line in
 * *why. */

/* Learn what it is; @first is its state. */
int pressure_vm_open(struct pressure_vm *p, const struct target *t,
		     struct sample *first, struct complaint *why);
int pressure_vm_sample(struct pressure_vm *p, struct sample *s,
		       struct complaint *why);
/* Do what @e says. */
int pressure_vm_do(struct pressure_vm *p, const struct event *e, int64_t now_ms,
		   struct complaint *why);
/* Move the dials to where they are to be. */
int pressure_vm_move(struct pressure_vm *p, int64_t now_ms,
		     struct complaint *why);
/* When a ramp ends; INT64_MAX: there is none. */
int64_t pressure_vm_due(const struct pressure_vm *p, int64_t now_ms);
/* Everything as it was, as far as the VM still answers; also after an error. */
int pressure_vm_restore(struct pressure_vm *p, struct complaint *why);

#endif
