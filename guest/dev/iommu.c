/* SPDX-License-Identifier: MIT */
/*
 * Driver of the IOMMU (virtio 1.2, 5.13), for the one device behind it that we
 * have: the DMA engine. Detached, it reaches all of memory by physical address;
 * attached, what was mapped, at device addresses equal to the physical ones.
 */

#include "guest/dev/virtio.h"
#include "guest/lib/errno.h"

enum { REQUESTS, EVENTS };
enum { ATTACH = 1, DETACH = 2, MAP = 3 };
enum { READ = 1, WRITE = 2 };

#define FEATURE_MAP (1ul << 2)
#define DOMAIN	    1u

/* 5.13.6: what the device reads. */
struct attach { /* and detach */
	uint32_t type, domain, endpoint, flags, reserved;
};

struct map {
	uint32_t type, domain;
	uint64_t first, last, to;
	uint32_t flags;
} __attribute__((packed));

static struct virtio *device;

/* 5.13.6.9: where it tells of a fault. */
static struct {
	uint8_t reason, reserved[3];
	uint32_t flags, endpoint, reserved2;
	uint64_t address;
} fault;

static void listen(void)
{
	const struct virtio_part part = { &fault, sizeof(fault), true };

	virtqueue_lend(device->queues[EVENTS], &part, 1);
}

static int64_t ask(const void *request, size_t bytes)
{
	volatile struct {
		uint8_t status, reserved[3];
	} tail = { .status = 0xff };
	const struct virtio_part parts[] = {
		{ request, bytes, false },
		{ &tail, sizeof(tail), true },
	};

	virtqueue_run(device->queues[REQUESTS], parts, 2);
	return tail.status ? -EIO : 0;
}

static int64_t move(uint32_t type)
{
	const struct attach request = {
		.type = type,
		.domain = DOMAIN,
		.endpoint = ABI_DMA_ENDPOINT,
	};

	return ask(&request, sizeof(request));
}

int64_t iommu_attach(void)
{
	return device ? move(ATTACH) : -ENODEV;
}

int64_t iommu_map(pa_t at, uint64_t bytes)
{
	const struct map request = {
		.type = MAP,
		.domain = DOMAIN,
		.first = at.v,
		.last = at.v + bytes - 1,
		.to = at.v,
		.flags = READ | WRITE,
	};

	return ask(&request, sizeof(request));
}

/* A domain without endpoints is gone, and its mappings with it. */
uint64_t iommu_detach(void)
{
	move(DETACH);
	if (virtqueue_back(device->queues[EVENTS]) < 0)
		return 0;
	listen();
	return fault.address;
}

static void start(struct virtio *v)
{
	device = v;
	listen();
}

const struct virtio_driver virtio_iommu = {
	.id = 23,
	.needs = FEATURE_MAP,
	.queues = 1 << REQUESTS | 1 << EVENTS,
	.start = start,
};
