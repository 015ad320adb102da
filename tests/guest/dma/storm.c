/* SPDX-License-Identifier: MIT */
#include "tests/guest/dma/storm.h"

#include "tests/guest/dma/driver.h"
#include "tests/guest/dma/engine.h"

#define CELL  128u /* bytes */
#define WORDS (CELL / 8)
#define CELLS (STORM_BYTES / CELL) /* at most */
#define NEAR  64u /* cells between a copy's ends, at most */

static uint64_t model[CELLS]; /* the one word that a cell repeats */
static uint32_t cells;
static uint64_t bus; /* where the engine sees the area */

static uint64_t random(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* RFC 1071, of a cell of words @w. */
static uint16_t sum_of(uint64_t w)
{
	uint64_t sum = (w & 0xffff) + (w >> 16 & 0xffff) + (w >> 32 & 0xffff) +
		       (w >> 48);

	for (sum *= WORDS; sum >> 16;)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Each with a pattern of its own, to begin with. */
static void fill_all(void)
{
	const uint32_t part = cells / RING;

	for (uint32_t i = 0; i < RING; i++) {
		const uint64_t w = random();

		*engine_slot(i) = (struct dma_descriptor){
			.source = w,
			.target = bus + (uint64_t)i * part * CELL,
			.bytes = part * CELL,
			.operation = DMA_FILL,
		};
		for (uint32_t c = 0; c < part; c++)
			model[i * part + c] = w;
	}
	engine_run(RING);
}

/* The next one in the row, or any. */
static uint32_t pick_cell(uint64_t r)
{
	static uint32_t row;

	return r % 16 ? row++ % cells : (uint32_t)(r >> 8) % cells;
}

/* What comes of it is in the model; the sum that it should find is returned. */
static uint16_t make(struct dma_descriptor *d)
{
	const uint64_t r = random();
	const uint32_t to = pick_cell(r);
	const uint32_t near = to + (uint32_t)(r >> 20) % NEAR;
	const uint32_t any = (uint32_t)(r >> 20);
	const uint32_t from = (r % 64 == 7 ? any : near) % cells;

	*d = (struct dma_descriptor){ .source = bus + from * CELL,
				      .target = bus + to * CELL,
				      .bytes = CELL,
				      .operation = DMA_COPY };
	switch (r >> 62) {
	case 0:
		d->operation = DMA_FILL;
		d->source = model[to] = r;
		return 0;
	case 1:
		d->operation = DMA_CHECKSUM;
		return sum_of(model[from]);
	default:
		model[to] = model[from];
		return 0;
	}
}

static void run_some(void)
{
	static uint16_t sum[RING];
	const uint64_t first = engine_get(DMA_HEAD);

	for (uint32_t i = 0; i < RING; i++)
		sum[i] = make(engine_slot(first + i));
	engine_run(RING);
	for (uint32_t i = 0; i < RING; i++) {
		const struct dma_descriptor *d = engine_slot(first + i);

		want(d->status == DMA_DONE, 40, "one of a storm");
		want(d->operation != DMA_CHECKSUM || d->result == sum[i], 41,
		     "a sum of a storm");
	}
}

/* Where ring 0 is emulated, one instruction for all words is ten times faster.
 */
int is_cell(const uint64_t **at, uint64_t w)
{
	uint64_t words = WORDS;
	uint8_t same;

	__asm__ volatile("repe scasq; sete %0"
			 : "=q"(same), "+D"(*at), "+c"(words)
			 : "a"(w)
			 : "memory", "cc");
	return same;
}

static void check_all(void)
{
	const uint64_t *at = (const uint64_t *)STORM_AREA;

	for (uint32_t c = 0; c < cells; c++)
		want(is_cell(&at, model[c]), 42, "a byte of a storm");
}

void storm(uint32_t n, uint64_t at)
{
	bus = at;
	cells = n < CELLS ? n : CELLS;
	fill_all();
	for (uint32_t done = 0; done < n; done += RING)
		run_some();
	check_all();
}
