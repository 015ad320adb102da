/* SPDX-License-Identifier: MIT */
/*
 * The lab device: registers and commands of guest/abi.h. What a command does
 * to stage 2 is the vmm's business, through these functions; each is called on
 * the vCPU thread that wrote LAB_CMD, without locks, and returns 0 or a
 * positive errno.
 */
#ifndef DEVICES_LAB_H
#define DEVICES_LAB_H

#include "devices/device.h"
#include "ept/guest_mem.h"
#include "guest/abi.h"

struct lab_host {
	void *ctx;
	int (*evict)(void *ctx, gpa_t at);
	int (*unmap)(void *ctx, gpa_t at);
	enum lab_state (*state)(void *ctx, gpa_t at);
	/* Lower the cap to @bytes (0: the operator's); *now is what holds. */
	int (*resident)(void *ctx, uint64_t bytes, uint64_t *now);
	void (*counters)(void *ctx, struct lab_counters *c);
	/* Through the tables of the calling vCPU. */
	int (*walk)(void *ctx, gva_t at, struct lab_walk *w);
	void (*fault)(void *ctx, const struct lab_fault *f); /* stage 1 */
	int (*balloon)(void *ctx, uint64_t pages);
	void (*progress)(void *ctx, uint64_t more);
};

struct device *lab_create(struct stage2 *memory, const struct lab_host *host);

/* From now on the guest is to record its faults, or no longer. What it has
 * recorded before reaches host->fault first, as with lab_drain. */
void lab_want(struct device *lab, bool wanted);

/* Take what is in the guest's ring. Waits for no page. */
void lab_drain(struct device *lab);

/* What the guest said last of its CPU @cpu, which may be anything. False:
 * nothing yet. Any thread, without locks, as on the way of a fault. */
bool lab_cpu(const struct device *lab, unsigned cpu, struct lab_cpu *to);
/* Its page faults so far, as it says. Likewise. */
uint64_t lab_faults(const struct device *lab);

#endif
