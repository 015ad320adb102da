/* SPDX-License-Identifier: MIT */
/*
 * Any driver against the DMA engine and the IOMMU before it. The first byte
 * says whether the engine is confined to a domain in which the first page of
 * memory and the last are never mapped: then those must stay as they were.
 * Whatever happened, after a reset the engine does as it is told.
 * tests/fuzz/fuzz.mk says how to run it.
 */
#include "devices/dma.h"
#include "guest/abi.h"
#include "tests/fuzz/virtio_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define RING	  0x1000u
#define RING_SIZE 8u
#define SECRET	  (RAM_BYTES - PAGE_SIZE)
#define DOMAIN	  1u

static struct device *dma;
static struct iommu *iommu;
static bool confined;

static uint64_t get(uint64_t at)
{
	return dma->ops->read(dma, at, 8);
}

static void set(uint64_t at, uint64_t value)
{
	dma->ops->write(dma, at, 8, value);
}

/* An address that is likely to matter. */
static uint64_t take_address(void)
{
	static const uint64_t where[] = { 0,	      RING,	      0x4000,
					  SECRET,     RAM_BYTES,      1u << 24,
					  0xd0001000, UINT64_MAX - 15 };

	return where[take(1) % 8] + take(2);
}

/* Some pages; one in sixteen, anything up to 16 MiB. */
static uint32_t take_bytes(void)
{
	const uint32_t n = (uint32_t)take(3);

	return n >> 20 ? n % (5 * PAGE_SIZE) : n << 4;
}

static void put_descriptor(void)
{
	const uint64_t at = RING + take(1) % RING_SIZE * 32;
	const struct dma_descriptor d = {
		.source = take_address(),
		.target = take_address(),
		.bytes = take_bytes(),
		.operation = (uint16_t)(take(1) % 6),
		.flags = (uint16_t)take(1),
	};

	memcpy(ram + at, &d, sizeof(d));
}

static void change_mapping(void)
{
	const iova_t first = { take(1) << 12 };
	const uint64_t bytes = (take(1) % 16 + 1) << 12;
	const iova_t last = { first.v + bytes - 1 };
	const gpa_t to = { take(1) % 16 << 12 };
	const unsigned rights = (unsigned)take(1) & 3;

	if (rights == 0)
		iommu_unmap(iommu, DOMAIN, first, last);
	else if (to.v && to.v + bytes <= SECRET)
		iommu_map(iommu, DOMAIN, first, last, to, rights);
}

static void act(void)
{
	uint64_t at;
	unsigned n;

	switch (take(1) % 8) {
	case 0:
		at = take(1) % 12 * 8;
		set(at, take(at == DMA_RING ? 3 : 1));
		break;
	case 1:
		n = 1u << take(1) % 4;
		at = take(2) & (0xfffu & -n);
		dma->ops->write(dma, at, n, take(n));
		dma->ops->read(dma, at, n);
		break;
	case 2:
		put_descriptor();
		break;
	case 3:
		set(DMA_HEAD, get(DMA_TAIL) + take(1) % 12);
		break;
	case 4:
		change_mapping();
		break;
	case 5:
		if (!confined && take(1) & 1)
			iommu_attach(iommu, DOMAIN, ABI_DMA_ENDPOINT,
				     take(1) & 1);
		else if (!confined)
			iommu_detach(iommu, DOMAIN, ABI_DMA_ENDPOINT);
		break;
	case 6:
		set(DMA_CONTROL, take(1) & 3);
		break;
	default:
		io_run();
		break;
	}
}

static void start_engine(uint64_t bits)
{
	set(DMA_RING, RING);
	set(DMA_RING_SIZE, RING_SIZE);
	set(DMA_BITS, bits);
	set(DMA_CONTROL, DMA_RUN);
}

static void must_work(void)
{
	const struct dma_descriptor d = { .source = 0x1234,
					  .target = 0x8000,
					  .bytes = 8,
					  .operation = DMA_FILL,
					  .flags = DMA_INTERRUPT };

	iommu_reset(iommu);
	set(DMA_CONTROL, DMA_RESET);
	io_run();
	if (level || get(DMA_STATE) || get(DMA_TAIL))
		abort();
	start_engine(24);
	memcpy(ram + RING, &d, sizeof(d));
	set(DMA_HEAD, 1);
	io_run();
	if (!level || get(DMA_TAIL) != 1 || ram[0x8000] != 0x34 ||
	    ram[RING + 24] != DMA_DONE)
		abort();
}

static void must_be_kept(const uint8_t *page)
{
	if (page[0] != 0x5a || memcmp(page, page + 1, PAGE_SIZE - 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct irq_line irq = { .set = set_line };

	input = bytes;
	left = len;
	level = 0;
	memset(ram, 0, sizeof(ram));
	memset(ram, 0x5a, PAGE_SIZE);
	memset(ram + SECRET, 0x5a, PAGE_SIZE);
	confined = take(1) & 1;
	iommu = iommu_create(NULL, NULL);
	iommu_add_endpoint(iommu, ABI_DMA_ENDPOINT);
	dma = dma_create(NULL, iommu, irq);
	if (confined)
		iommu_attach(iommu, DOMAIN, ABI_DMA_ENDPOINT, false);
	start_engine(64);
	while (left)
		act();
	io_run();
	if (confined) {
		must_be_kept(ram);
		must_be_kept(ram + SECRET);
	}
	must_work();
	dma->ops->destroy(dma);
	iommu_destroy(iommu);
	return 0;
}
