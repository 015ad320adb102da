/* SPDX-License-Identifier: MIT */
/*
 * A storm of small transfers: fills, copies and sums all over an area of
 * memory, most of them next to each other, some anywhere. What each piece of
 * the area must hold is known, and in the end every byte of it is looked at.
 */
#ifndef TESTS_GUEST_DMA_STORM_H
#define TESTS_GUEST_DMA_STORM_H

#include <stdint.h>

#define STORM_AREA  0x400000ul
#define STORM_BYTES (16u << 20)

/* @n descriptors, a multiple of RING but 0, and RING more at first; the engine
 * sees the area at @at, of which it uses as many pieces of 128 bytes as there are
 * descriptors. Ends the run where one is not done, or a byte wrong. */
void storm(uint32_t n, uint64_t at);

/* Do the 128 bytes at *@at repeat @w? *@at is then what follows. */
int is_cell(const uint64_t **at, uint64_t w);

#endif
