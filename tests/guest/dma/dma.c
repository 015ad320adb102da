/* SPDX-License-Identifier: MIT */
/*
 * dma.elf: a guest that is nothing but a driver of the DMA engine, of the
 * virtio-iommu before it and of the balloon. The engine fills 4 MiB, sums them
 * up, copies them and sums up the copy; with less resident than that, so that
 * pages are brought in for it. The processor sleeps until the interrupt. Then
 * the engine gets a window, and what it does outside of that does nothing but
 * leave a record. Last, the copy is given to the balloon. Its command line is
 * how many transfers a storm is to have, and how many rounds a belt: with the
 * IOMMU before them, and without.
 *
 * Status 0, or the number of the step that failed.
 */
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio_balloon.h"
#include "devices/virtio_iommu.h"
#include "guest/abi.h"
#include "guest/boot/pvh.h"
#include "tests/guest/dma/belt.h"
#include "tests/guest/dma/driver.h"
#include "tests/guest/dma/engine.h"
#include "tests/guest/dma/storm.h"

#define PAGE	   4096u
#define PAGES	   1024u
#define FROM	   0x400000ul
#define TO	   0x800000ul
#define STORM_SEEN 0x40000000ul /* an iova, too */
#define WINDOW	   0xc00000ul /* an iova: what is behind it lies in FROM */

static struct queue iommu_queue[IOMMU_QUEUES], balloon_queue[2];

int main(const struct hvm_start_info *info);

static uint64_t pattern(uint32_t page)
{
	return (page + 1) * 0x0101010101010101ull ^ (uint64_t)page << 40;
}

static void fill(void)
{
	for (uint32_t page = 0; page < PAGES; page += RING) {
		for (uint32_t i = 0; i < RING; i++)
			*engine_slot(i) = (struct dma_descriptor){
				.source = pattern(page + i),
				.target = FROM + (page + i) * PAGE,
				.bytes = PAGE,
				.operation = DMA_FILL,
			};
		engine_run(RING);
		for (uint32_t i = 0; i < RING; i++)
			want(engine_slot(i)->status == DMA_DONE, 1, "a fill");
	}
}

static uint32_t sum(uint64_t at)
{
	struct dma_descriptor d = engine_one(
		(struct dma_descriptor){ .source = at,
					 .bytes = PAGES * PAGE,
					 .operation = DMA_CHECKSUM });

	want(d.status == DMA_DONE, 2, "a checksum");
	return d.result;
}

static void copy_and_compare(void)
{
	uint32_t before = sum(FROM);
	struct dma_descriptor d = engine_one((struct dma_descriptor){
		.source = FROM,
		.target = TO,
		.bytes = PAGES * PAGE,
		.operation = DMA_COPY,
	});

	want(d.status == DMA_DONE, 3, "a copy");
	want(sum(TO) == before && before != 0xffff, 4, "its checksum");
	for (uint32_t page = 0; page < PAGES; page++)
		want(*(volatile uint64_t *)(TO + page * PAGE + 8) ==
			     pattern(page),
		     5, "what was copied");
}

/* Memory from 16 MiB on is beyond what it can name at first. */
static void test_reach(void)
{
	struct dma_descriptor d = { .target = 16u << 20,
				    .bytes = 8,
				    .operation = DMA_FILL };

	want(engine_one(d).status == DMA_BAD_ADDRESS, 6, "a limit of 24 bits");
	d.target = ABI_DMA_BASE;
	engine_start((uintptr_t)ring, 32);
	want(engine_one(d).status == DMA_BAD_ADDRESS, 7, "no DMA to a device");
}

static uint8_t request(volatile uint32_t *d, const struct iommu_request *r,
		       uint32_t bytes)
{
	static struct iommu_tail tail;

	queue_lend(d, &iommu_queue[IOMMU_REQUESTS], IOMMU_REQUESTS, r, bytes,
		   &tail, sizeof(tail));
	want(queue_wait(&iommu_queue[IOMMU_REQUESTS]) == sizeof(tail), 20,
	     "an answer of the IOMMU");
	return tail.status;
}

static void map(volatile uint32_t *d, uint64_t iova, uint64_t to,
		uint32_t bytes, uint32_t rights)
{
	static struct iommu_request r;

	r.type = IOMMU_MAP;
	r.map.domain = 1;
	r.map.first = iova;
	r.map.last = iova + bytes - 1;
	r.map.to = to;
	r.map.flags = rights;
	want(request(d, &r, 36) == IOMMU_OK, 21, "a mapping");
}

static void attach(volatile uint32_t *d, uint8_t type)
{
	static struct iommu_request r;

	r.type = type;
	r.attach.domain = 1;
	r.attach.endpoint = ABI_DMA_ENDPOINT;
	want(request(d, &r, 20) == IOMMU_OK, 22, "to attach or detach");
}

static void check_event(volatile struct iommu_event *e, uint64_t at)
{
	want(queue_wait(&iommu_queue[IOMMU_EVENTS]) == sizeof(*e), 26,
	     "a fault record");
	want(e->address == at && e->endpoint == ABI_DMA_ENDPOINT &&
		     e->reason == IOMMU_EVENT_MAPPING &&
		     (e->flags & IOMMU_EVENT_WRITE),
	     27, "what the record says");
}

/* Inside its window it works; outside, nothing happens but a record. */
static void test_window(uint32_t transfers, uint32_t rounds)
{
	static volatile struct iommu_event event;
	volatile uint32_t *d = device_find(VIRTIO_ID_IOMMU);
	volatile uint64_t *inside = (volatile uint64_t *)FROM;
	volatile uint64_t *outside = (volatile uint64_t *)TO;
	uint64_t was = *outside;
	struct dma_descriptor fill = { .source = 0x7777,
				       .target = WINDOW,
				       .bytes = 8,
				       .operation = DMA_FILL };

	device_start(d, IOMMU_F_MAP_UNMAP, iommu_queue, IOMMU_QUEUES);
	attach(d, IOMMU_ATTACH);
	map(d, WINDOW, FROM, PAGE, IOMMU_READ | IOMMU_WRITE);
	map(d, (uintptr_t)ring, (uintptr_t)ring, PAGE,
	    IOMMU_READ | IOMMU_WRITE);
	want(engine_one(fill).status == DMA_DONE && *inside == 0x7777, 23,
	     "DMA into the window");
	queue_lend(d, &iommu_queue[IOMMU_EVENTS], IOMMU_EVENTS, 0, 0, &event,
		   sizeof(event));
	fill.target = TO;
	want(engine_one(fill).status == DMA_REFUSED, 24,
	     "DMA outside is refused");
	want(*outside == was, 25, "memory is untouched");
	check_event(&event, TO);
	map(d, STORM_SEEN, STORM_AREA, STORM_BYTES, IOMMU_READ | IOMMU_WRITE);
	storm(transfers, STORM_SEEN);
	belt(rounds, STORM_SEEN);
	engine_start((uintptr_t)ring, 32);
	attach(d, IOMMU_DETACH);
	want(engine_one(fill).status == DMA_DONE && *outside == 0x7777, 28,
	     "DMA without a window");
}

/* The copy goes; what is read there next is zeros. */
static void give_back(void)
{
	static uint32_t pfn[256];
	volatile uint32_t *d = device_find(VIRTIO_ID_BALLOON);

	device_start(d, 0, balloon_queue, 2);
	for (uint32_t page = 0; page < PAGES; page += 256) {
		for (uint32_t i = 0; i < 256; i++)
			pfn[i] = (uint32_t)(TO / PAGE) + page + 255 - i;
		queue_lend(d, &balloon_queue[0], 0, pfn, sizeof(pfn), 0, 0);
		queue_wait(&balloon_queue[0]);
	}
	d[VIRTIO_CONFIG / 4 + 1] = PAGES;
	for (uint32_t page = 0; page < PAGES; page += 128)
		want(*(volatile uint64_t *)(TO + page * PAGE) == 0, 30,
		     "zeros");
}

/* The number at *@text, which then points behind it and what ends it. */
static uint32_t number(const char **text)
{
	uint32_t n = 0;

	while (**text >= '0' && **text <= '9')
		n = 10 * n + (uint32_t)(*(*text)++ - '0');
	++*text;
	return n;
}

int main(const struct hvm_start_info *info)
{
	const char *text = (const char *)(uintptr_t)info->cmdline_at;
	const uint32_t transfers = number(&text), rounds = number(&text);

	engine_connect();
	want(engine_get(DMA_ID) == ABI_DMA_ID, 10, "a DMA engine");
	engine_start((uintptr_t)ring, 24);
	fill();
	copy_and_compare();
	test_reach();
	storm(transfers, STORM_AREA);
	belt(rounds, STORM_AREA);
	engine_start((uintptr_t)ring, 32);
	test_window(transfers, rounds);
	give_back();
	want(engine_interrupts > 0, 11, "interrupts");
	say("4 MiB moved, a window kept, 4 MiB given back\n");
	end(0);
}
