/* SPDX-License-Identifier: MIT */
#include "tests/guest/dma/belt.h"

#include "tests/guest/dma/driver.h"
#include "tests/guest/dma/engine.h"
#include "tests/guest/dma/storm.h"

#define CELL  128u /* bytes */
#define CELLS (BELT / 2)
#define THERE (CELLS * CELL) /* where the second half begins */
#define ORDER (2 * THERE) /* and where the ring does */

static struct dma_descriptor *const belt_ring =
	(struct dma_descriptor *)(STORM_AREA + ORDER);

static uint64_t word_of(uint32_t cell)
{
	return (cell + 1) * 0x9e3779b97f4a7c15u;
}

static void fill(uint64_t at)
{
	for (uint32_t i = 0; i < CELLS; i++)
		belt_ring[i] = (struct dma_descriptor){ .source = word_of(i),
							.target = at + i * CELL,
							.bytes = CELL,
							.operation = DMA_FILL };
}

/* There, one further, and back. */
static void lay(uint64_t at)
{
	for (uint32_t i = 0; i < CELLS; i++) {
		const uint64_t here = at + i * CELL, there = here + THERE;
		const uint64_t next = at + THERE + (i + 1) % CELLS * CELL;

		belt_ring[i] = (struct dma_descriptor){ .source = here,
							.target = next,
							.bytes = CELL,
							.operation = DMA_COPY };
		belt_ring[CELLS + i] =
			(struct dma_descriptor){ .source = there,
						 .target = here,
						 .bytes = CELL,
						 .operation = DMA_COPY };
	}
}

static void start(uint64_t at)
{
	engine_set(DMA_CONTROL, 0);
	while (engine_get(DMA_STATE) & DMA_BUSY)
		__asm__ volatile("pause");
	engine_set(DMA_CONTROL, DMA_RESET);
	while (engine_get(DMA_STATE) & DMA_BUSY)
		__asm__ volatile("pause");
	engine_set(DMA_RING, at + ORDER);
	engine_set(DMA_RING_SIZE, BELT);
	engine_set(DMA_BITS, 32);
	engine_set(DMA_CONTROL, DMA_RUN);
}

static void go(uint32_t n)
{
	const uint64_t head = engine_get(DMA_HEAD) + n;

	belt_ring[(head - 1) % BELT].flags = DMA_INTERRUPT;
	engine_set(DMA_HEAD, head);
	engine_sleep(head);
	want(belt_ring[(head - 1) % BELT].status == DMA_DONE, 50, "a belt");
}

static void check(uint32_t rounds)
{
	const uint64_t *here = (const uint64_t *)STORM_AREA;
	const uint64_t *there = (const uint64_t *)(STORM_AREA + THERE);

	for (uint32_t i = 0; i < CELLS; i++) {
		const uint64_t w = word_of((i - rounds) % CELLS);

		want(is_cell(&here, w), 51, "a byte of a belt");
		want(is_cell(&there, w), 52, "a byte of its other half");
	}
}

void belt(uint32_t rounds, uint64_t at)
{
	start(at);
	fill(at);
	go(CELLS);
	start(at);
	lay(at);
	for (uint32_t i = 0; i < rounds; i++)
		go(BELT);
	check(rounds);
}
