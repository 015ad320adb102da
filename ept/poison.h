/* SPDX-License-Identifier: MIT */
/*
 * A page whose bytes are lost for good: from then on an access to it is a
 * machine check (SIGBUS in the thread that makes it), as on a machine whose
 * memory fails. Linux 6.6 and later can do that to one page. For ept/ only.
 */
#ifndef EPT_POISON_H
#define EPT_POISON_H

#include "ept/state.h"

/*
 * The page of @g, which is away, cannot be had because of @error. Poison it,
 * wake who waits for it, tell the owner and give its slot back. The lock is
 * held, and dropped meanwhile. False, and nothing has changed: the owner does
 * not want that (config.poison), the kernel cannot, or the page is one of 512
 * in a frame, of which the others are sound.
 */
bool poison_page(struct stage2 *s, gfn_t g, int error);

/* Somebody has touched a poisoned page for the first time: wake him with the
 * same result. As above. */
bool poison_again(struct stage2 *s, gfn_t g);

#endif
