/* SPDX-License-Identifier: MIT */
/*
 * --mem-slo: the smallest resident cap under which the guest waits for memory
 * no longer than it was promised, found by trying.
 *
 * After Meta's senpai (Weiner et al., TMO, ASPLOS'22), with PSI's shape of
 * pressure for its measure: while the guest waits less than the target, the
 * cap creeps down, the more slowly the nearer the target is. When it waits
 * more, the cap goes up a little, and twice as much in each second that this
 * did not help. Then it rests: until the 10 s average has forgotten it, and
 * then for a time that doubles whenever creeping down went too far again,
 * because below the working set there is no slope but a cliff.
 *
 * Pure: a step sees a second of the guest's life and answers with a cap.
 */
#ifndef VMM_SLO_H
#define VMM_SLO_H

#include <stdint.h>

#define SLO_STEP_MS 1000

struct slo {
	double target; /* percent of the time that some vCPU may wait */
	uint64_t cap; /* in force, bytes */
	uint64_t lowered, raised; /* steps */
	unsigned streak; /* seconds above the target, up to now */
	unsigned patience, rest; /* seconds: to rest after one; left of it */
};

struct slo_second {
	double now, avg10; /* percent: this step's own, and PSI's */
	uint64_t resident; /* bytes */
	uint64_t floor, ceiling; /* bytes; the cap stays between them */
};

/* The next cap, bytes; s->cap has it too. */
uint64_t slo_step(struct slo *s, const struct slo_second *t);

#endif
