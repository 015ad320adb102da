/* SPDX-License-Identifier: MIT */
/*
 * Driver of the DMA engine (guest/abi.h): bytes are moved while the processor
 * does something else.
 *
 * The engine is one of the old kind, whose addresses have 24 bits: what it
 * reads and writes is a *DMA region*, frames in a row below 16 MiB, through
 * which a program's bytes pass.
 */
#ifndef GUEST_DEV_DMA_H
#define GUEST_DEV_DMA_H

#include "guest/mm/addr.h"

/* The engine's registers lie at @base; @line is its interrupt. */
void dma_init(pa_t base, unsigned line);

#endif
