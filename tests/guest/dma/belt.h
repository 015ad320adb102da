/* SPDX-License-Identifier: MIT */
/*
 * A belt: a ring of 65,536 descriptors that moves 4 MiB of memory on by one
 * piece each time the engine has been through it, by way of a second 4 MiB. The
 * processor only waits; in the end every byte must be where so many rounds have
 * brought it.
 */
#ifndef TESTS_GUEST_DMA_BELT_H
#define TESTS_GUEST_DMA_BELT_H

#include <stdint.h>

#define BELT 65536u /* descriptors of a round, and half as many to begin with */

/* The engine sees storm.h's area at @at. Leaves it on a ring of its own. */
void belt(uint32_t rounds, uint64_t at);

#endif
