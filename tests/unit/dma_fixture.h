/* SPDX-License-Identifier: MIT */
/* The DMA engine over a stage 2 at work, and a driver's side of its ring. */
#ifndef TESTS_UNIT_DMA_FIXTURE_H
#define TESTS_UNIT_DMA_FIXTURE_H

#include <string.h>
#include <time.h>

#include "devices/dma.h"
#include "guest/abi.h"
#include "tests/unit/stage2_fixture.h"

#define RING	  0x10000 /* of RING_SIZE descriptors */
#define RING_SIZE 64
#define A	  0x40000
#define B	  0x60000

static struct device *dma;
static struct iommu *iommu;
static unsigned raised, lowered, faulted;

static inline void set_line(void *ctx, int level)
{
	(void)ctx;
	raised += level == 1;
	lowered += level == 0;
}

static inline void on_fault(void *ctx)
{
	(void)ctx;
	faulted++;
}

static inline uint64_t get(enum dma_register r)
{
	return dma->ops->read(dma, r, 8);
}

static inline void set(enum dma_register r, uint64_t value)
{
	dma->ops->write(dma, r, 8, value);
}

static inline void begin_with(struct options o)
{
	struct irq_line irq = { .set = set_line };

	raised = lowered = faulted = 0;
	start(o);
	iommu = iommu_create(on_fault, NULL);
	iommu_add_endpoint(iommu, ABI_DMA_ENDPOINT);
	dma = dma_create(s2, iommu, irq);
	assert_non_null(dma);
	set(DMA_RING, RING);
	set(DMA_RING_SIZE, RING_SIZE);
	set(DMA_CONTROL, DMA_RUN);
}

static inline void begin(uint64_t limit)
{
	begin_with((struct options){ .limit = limit });
}

static inline void end(void)
{
	dma->ops->destroy(dma);
	iommu_destroy(iommu);
	stop();
}

static inline void put(uint64_t at, const void *from, size_t len)
{
	assert_true(guest_write(s2, (gpa_t){ at }, from, len));
}

static inline void take(uint64_t at, void *to, size_t len)
{
	assert_true(guest_read(s2, (gpa_t){ at }, to, len));
}

static inline uint64_t slot_at(uint32_t i)
{
	return RING + (i % RING_SIZE) * sizeof(struct dma_descriptor);
}

static inline void wait_idle(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (unsigned i = 0; i < 10000 && (get(DMA_STATE) & DMA_BUSY); i++)
		nanosleep(&ms, NULL);
	assert_int_equal(get(DMA_STATE) & DMA_BUSY, 0);
}

/* Hand over one descriptor and wait for its end. */
static inline struct dma_descriptor perform(struct dma_descriptor d)
{
	uint32_t i = (uint32_t)get(DMA_HEAD);

	put(slot_at(i), &d, sizeof(d));
	set(DMA_HEAD, (uint32_t)(i + 1));
	wait_idle();
	take(slot_at(i), &d, sizeof(d));
	return d;
}

static inline enum dma_status copy(uint64_t from, uint64_t to, uint32_t bytes)
{
	return perform((struct dma_descriptor){ .source = from,
						.target = to,
						.bytes = bytes,
						.operation = DMA_COPY })
		.status;
}

#endif
