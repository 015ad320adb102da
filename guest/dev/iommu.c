/* SPDX-License-Identifier: MIT */
#include "guest/dev/iommu.h"

#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/proc/sleep.h"

enum { REQUESTS, EVENTS };
enum { ATTACH = 1, DETACH = 2, MAP = 3 };

#define FEATURE_MAP (1ul << 2)
#define DOMAIN	    1u

/* 5.13.6: what the device reads, then what it writes. */
struct request {
	uint8_t type, reserved[3];
	union {
		struct {
			uint32_t domain, endpoint, flags, reserved;
		} attach; /* and detach */
		struct {
			uint32_t domain;
			uint64_t first, last, to;
			uint32_t flags;
		} __attribute__((packed)) map;
	};
	struct {
		uint8_t status, reserved[3];
	} tail;
};

/* 5.13.6.9 */
struct event {
	uint8_t reason, reserved[3];
	uint32_t flags, endpoint, reserved2;
	uint64_t address;
};

/* One frame: what is asked, and where a fault is told. */
struct page {
	struct request request;
	struct event event;
};

static struct virtqueue requests, events;
static struct page *page;
static pa_t page_pa;
static bool present, taken;
static unsigned listening; /* slot of the event queue */

static pa_t within(const void *part)
{
	return (pa_t){ page_pa.v +
		       (uint64_t)((const char *)part - (const char *)page) };
}

/* Lend the device the place for one fault record. */
static void listen(void)
{
	const struct virtio_part part = { within(&page->event),
					  sizeof(page->event), true };

	page->event = (struct event){ 0 };
	virtqueue_lend(&events, listening, &part, 1);
}

int iommu_start(struct virtio *v)
{
	struct frame *f = frame_alloc(FRAME_DMA);
	int error = -ENODEV;

	if (!f)
		return -ENOMEM;
	page_pa = frame_pa(f);
	page = direct(page_pa);
	if (virtio_begin(v, FEATURE_MAP) && v->features & FEATURE_MAP)
		error = virtqueue_init(&requests, v, REQUESTS, 2);
	if (!error)
		error = virtqueue_init(&events, v, EVENTS, 1);
	if (error)
		return error;
	virtio_go(v);
	listening = virtqueue_take(&events);
	listen();
	present = true;
	return 0;
}

/* @bytes of page->request are the question. One at a time. */
static int64_t ask(size_t bytes)
{
	const struct virtio_part parts[] = {
		{ within(&page->request), (uint32_t)bytes, false },
		{ within(&page->request.tail), sizeof(page->request.tail),
		  true },
	};
	unsigned slot = virtqueue_take(&requests);

	page->request.tail.status = 0xff;
	virtqueue_run(&requests, slot, parts, 2);
	virtqueue_free(&requests, slot);
	return page->request.tail.status ? -EIO : 0;
}

static int64_t move(uint8_t type)
{
	page->request = (struct request){
		.type = type,
		.attach = { .domain = DOMAIN, .endpoint = ABI_DMA_ENDPOINT },
	};
	return ask(offsetof(struct request, attach) +
		   sizeof(page->request.attach));
}

int64_t iommu_attach(void)
{
	int64_t error;

	if (!present)
		return -ENODEV;
	while (taken)
		sleep_on(&taken);
	taken = true;
	error = move(ATTACH);
	if (error)
		iommu_detach();
	return error;
}

int64_t iommu_map(pa_t at, uint64_t bytes, unsigned rights)
{
	page->request = (struct request){
		.type = MAP,
		.map = { .domain = DOMAIN,
			 .first = at.v,
			 .last = at.v + bytes - 1,
			 .to = at.v,
			 .flags = rights },
	};
	return ask(offsetof(struct request, map) + sizeof(page->request.map));
}

/* A domain without endpoints is gone, and its mappings with it. */
uint64_t iommu_detach(void)
{
	uint64_t fault = 0;

	move(DETACH);
	if (virtqueue_is_done(&events, listening)) {
		fault = page->event.address;
		listen();
	}
	taken = false;
	wake(&taken);
	return fault;
}
