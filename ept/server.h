/* SPDX-License-Identifier: MIT */
/* How a thread that serves faults waits for them; for fault.c. */
#ifndef EPT_SERVER_H
#define EPT_SERVER_H

#include "ept/state.h"

/* The @index-th of @s, whose userfaultfd and eventfd are open. 0 or -errno; to
 * be freed in either case. */
int server_init(struct server *me, struct stage2 *s, unsigned index);
void server_free(struct server *me);

/* Wait for a fault, polling first for as long as that may pay, or for a poke.
 * False: there was none for @ms; -1: without end. No lock is held. */
bool server_wait(struct server *me, int ms);

#endif
