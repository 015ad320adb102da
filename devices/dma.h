/* SPDX-License-Identifier: MIT */
/*
 * The DMA engine; guest/abi.h is its specification: registers, ring,
 * descriptors. A thread of its own moves the bytes, so that the vCPU is free
 * meanwhile and never waits for memory that the engine needs.
 *
 *     vCPU --registers--> lock <--tail, progress, line-- engine's thread
 *                                                           |
 *     ring in guest memory --descriptor--> translate --> pin --> move
 *
 * It moves piece by piece, from one page border to the next. For each piece it
 * translates both addresses, pins both pages, which may be absent or swapped
 * out, moves, and lets go of them; so it holds two pages of the guest's cap at
 * most, and a stop or a mapping taken away holds from the next piece on.
 */
#ifndef DEVICES_DMA_H
#define DEVICES_DMA_H

#include <stdbool.h>

#include "devices/device.h"
#include "devices/iommu.h"
#include "ept/guest_mem.h"

struct dma_counters {
	uint64_t descriptors, bytes, errors, interrupts;
};

/* @iommu, which is not owned, knows it as ABI_DMA_ENDPOINT. NULL: no memory. */
struct device *dma_create(struct stage2 *memory, struct iommu *iommu,
			  struct irq_line irq);
/* Have it stop within one page, where it is, and go on there: the VM is paused,
 * and the guest does not see it. Any thread. */
void dma_hold(struct device *dma, bool hold);
/* End the thread; no vCPU is running any more. */
void dma_stop(struct device *dma);
void dma_counters(struct device *dma, struct dma_counters *c);

#endif
