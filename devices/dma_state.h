/* SPDX-License-Identifier: MIT */
/* The inside of the DMA engine: dma.c is its registers, dma_engine.c its
 * thread. */
#ifndef DEVICES_DMA_STATE_H
#define DEVICES_DMA_STATE_H

#include <pthread.h>

#include "devices/dma.h"
#include "guest/abi.h"

struct dma {
	struct device base;
	struct stage2 *memory;
	struct iommu *iommu;
	struct irq_line irq;
	pthread_t thread;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool started; /* the thread: with the first DMA_RUN */
	bool ending, reset, held;
	bool run, busy, line;
	bool ring_error;
	struct dma_ring {
		unsigned bits; /* of addresses */
		uint64_t at;
		uint32_t size;
	} ring; /* constant while it runs */
	uint64_t pace; /* DMA_PACE */
	uint32_t head, tail;
	uint32_t progress; /* bytes of descriptor `tail` done */
	struct dma_counters count;
};

/* The lock is held. */
void dma_raise(struct dma *m);
void dma_lower(struct dma *m);
/* Every register as after power-on. */
void dma_power_on(struct dma *m);

/* The thread; its argument is the struct dma. */
void *dma_run(void *arg);

#endif
