/* SPDX-License-Identifier: MIT */
/* dma, iommu: memory that something else than the processor reads and writes. */
#include "guest/lib/errno.h"
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_dma, demo_iommu;

#define BUFFER_PAGES 8u
#define BUFFER	     (BUFFER_PAGES * PAGE_SIZE)
#define WORDS	     (BUFFER / 8)

static bool has_engine(struct demo *d, int64_t answer)
{
	if (answer != -ENODEV && answer != -ENOSYS)
		return demo_is(d, answer, 0);
	demo_skip(d, "the guest has no DMA engine");
	return false;
}

/* RFC 1071: the sum in ones' complement of all words of 16 bits, inverted. */
static uint16_t internet_checksum(const void *from, size_t bytes)
{
	const uint16_t *word = from;
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes / 2; i++)
		sum += word[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct worker {
	volatile uint64_t *laps; /* shared */
};

/* Count as long as the transfer lasts: the CPU is ours meanwhile. */
static void work(struct demo *d, void *what)
{
	struct worker *w = what;

	sys_cpu(0);
	demo_step(d, 1);
	while (__atomic_load_n(&d->step, __ATOMIC_ACQUIRE) < 2)
		++*w->laps;
}

void demo_dma(struct demo *d)
{
	uint64_t *from = demo_map(d, BUFFER, MAP_POPULATE);
	uint64_t *to = demo_map(d, BUFFER, MAP_POPULATE);
	struct worker w = { demo_map(d, PAGE_SIZE, MAP_SHARED) };
	struct sys_dma copy, sum;
	uint64_t laps, wrong = 0;
	int64_t pid;

	if (!from || !to || !w.laps)
		return;
	for (unsigned i = 0; i < WORDS; i++)
		from[i] = mix(i);
	copy = (struct sys_dma){ .from = (uintptr_t)from,
				 .to = (uintptr_t)to,
				 .bytes = BUFFER,
				 .operation = DMA_COPY };
	sum = (struct sys_dma){ .from = (uintptr_t)from,
				.bytes = BUFFER,
				.operation = DMA_CHECKSUM };
	if (!has_engine(d, sys_dma(&sum)))
		return;
	demo_is(d, sum.status, DMA_DONE);
	demo_is(d, sum.result, internet_checksum(from, BUFFER));

	pid = demo_child(d, work, &w);
	demo_await(d, 1);
	laps = *w.laps;
	demo_is(d, sys_dma(&copy), 0);
	laps = *w.laps - laps;
	demo_step(d, 2);
	demo_join(d, pid);
	demo_is(d, copy.status, DMA_DONE);
	for (unsigned i = 0; i < WORDS; i++)
		wrong += to[i] != mix(i);
	demo_is(d, wrong, 0);
	demo_true(d, laps);
	demo_note(d,
		  "%lu bytes at frame %#lx summed to %#lx and copied to frame "
		  "%#lx by the engine; meanwhile another process did %lu laps",
		  BUFFER, demo_walk(from).pa, sum.result, demo_walk(to).pa,
		  laps);
	sys_munmap((uintptr_t)from, BUFFER);
	sys_munmap((uintptr_t)to, BUFFER);
	sys_munmap((uintptr_t)w.laps, PAGE_SIZE);
}

#define WINDOW (2 * PAGE_SIZE)

void demo_iommu(struct demo *d)
{
	uint64_t *from = demo_map(d, BUFFER, MAP_POPULATE);
	uint64_t *to = demo_map(d, BUFFER, MAP_POPULATE);
	struct sys_dma copy = { .from = (uintptr_t)from,
				.to = (uintptr_t)to,
				.bytes = BUFFER,
				.operation = DMA_COPY,
				.iova_window = WINDOW };
	uint64_t touched = 0, refused;

	if (!from || !to)
		return;
	for (unsigned i = 0; i < WORDS; i++) {
		from[i] = mix(i);
		to[i] = 7;
	}
	if (!has_engine(d, sys_dma(&copy)))
		return;
	demo_is(d, copy.status, DMA_REFUSED);
	refused = copy.fault_iova;
	demo_true(d, refused);
	for (unsigned i = WINDOW / 8; i < WORDS; i++)
		touched += to[i] != 7;
	demo_is(d, touched, 0);

	copy.iova_window = 0;
	demo_is(d, sys_dma(&copy), 0);
	demo_is(d, copy.status, DMA_DONE);
	for (unsigned i = 0; i < WORDS; i++)
		touched += to[i] != mix(i);
	demo_is(d, touched, 0);
	demo_note(d,
		  "a transfer of %lu bytes through a window of %lu: refused at "
		  "device address %#lx, memory beyond it untouched; through "
		  "one that is wide enough: done",
		  BUFFER, WINDOW, refused);
	sys_munmap((uintptr_t)from, BUFFER);
	sys_munmap((uintptr_t)to, BUFFER);
}
