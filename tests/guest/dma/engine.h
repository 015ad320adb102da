/* SPDX-License-Identifier: MIT */
/* The DMA engine's driver: one ring, and the processor sleeps until the
 * interrupt. */
#ifndef TESTS_GUEST_DMA_ENGINE_H
#define TESTS_GUEST_DMA_ENGINE_H

#include <stdint.h>

#include "guest/abi.h"

#define RING 64u /* descriptors, half a page */

extern struct dma_descriptor ring[RING];
extern volatile uint32_t engine_interrupts;

uint64_t engine_get(enum dma_register r);
void engine_set(enum dma_register r, uint64_t value);

/* Route its interrupt here, and allow interrupts. */
void engine_connect(void);
/* Reset it, and have it run on the ring that it sees at @at. */
void engine_start(uint64_t at, uint64_t bits);

/* Where the @i-th descriptor of all goes. */
struct dma_descriptor *engine_slot(uint64_t i);
/* Sleep until @head descriptors are done; the last of them interrupts. */
void engine_sleep(uint64_t head);
/* Hand over what is in the ring behind what was, @n descriptors, and sleep
 * until the last of them is done. */
void engine_run(uint32_t n);
/* The same with @d: what became of it. */
struct dma_descriptor engine_one(struct dma_descriptor d);

#endif
