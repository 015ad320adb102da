/* SPDX-License-Identifier: MIT */
/*
 * How long to poll for an event before blocking.
 *
 * To be woken costs C more than to see the event oneself. Who polls for C and
 * then blocks never pays more than twice what the best would have been, known
 * beforehand; and as waits come in kinds, the last says what the next will be
 * (Karlin, Li, Manasse and Owicki, "Empirical studies of competitive spinning
 * for a shared-memory multiprocessor", SOSP 1991). So the budget doubles, up to
 * C, after a wait for which polling would have been enough, and halves after a
 * longer one, as KVM's halt polling does; down to a sixteenth, or it could not
 * double again.
 *
 *     wait:      |<--- polls --->|<------ blocked ------>|<- C ->| goes on
 *                0            budget                  event
 *
 * Written by the one who waits, read by anybody. All times are TSC ticks.
 */
#ifndef EPT_SPIN_H
#define EPT_SPIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SPIN_LEAST 16 /* of `most` this part is always polled */

struct spin {
	uint64_t most; /* C; 0: never poll */
	_Atomic uint64_t budget; /* the next wait polls for so long */
	_Atomic uint64_t polled, blocked; /* waits that ended so */
};

static inline void spin_init(struct spin *s, uint64_t most)
{
	s->most = most;
	atomic_store(&s->budget, most);
	atomic_store(&s->polled, 0);
	atomic_store(&s->blocked, 0);
}

/* A wait took @ticks, its wake-up with it where it ended @blocked. The event
 * came within C if that is less than twice C. */
static inline void spin_learn(struct spin *s, uint64_t ticks, bool blocked)
{
	uint64_t least = s->most / SPIN_LEAST, budget = atomic_load(&s->budget);

	budget = !blocked || ticks < 2 * s->most ? budget * 2 : budget / 2;
	budget = budget < s->most ? budget : s->most;
	atomic_store(&s->budget, budget > least ? budget : least);
	atomic_fetch_add(blocked ? &s->blocked : &s->polled, 1);
}

#endif
