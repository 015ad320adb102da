/* SPDX-License-Identifier: MIT */
#include "guest/dev/dma.h"

#include "guest/abi.h"
#include "guest/dev/iommu.h"
#include "guest/dev/irq.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"
#include "guest/proc/syscall.h"

#define REGION_ORDER 4
#define REGION_BYTES (PAGE_SIZE << REGION_ORDER)
/* Bytes a millisecond: a region takes long enough to see others run. */
#define PACE (2 * PAGE_SIZE)

static volatile uint64_t *registers;
static struct dma_descriptor *ring; /* of one */
static uint32_t head; /* handed over so far */
static void *source, *target; /* regions */
static bool taken; /* all of it, by a process that has a transfer going */

static void set(enum dma_register at, uint64_t value)
{
	registers[at / 8] = value;
}

static void on_interrupt(void *ctx)
{
	(void)ctx;
	set(DMA_IRQ, 0);
	wake(&ring);
}

static void *region(unsigned order)
{
	struct frame *f = frames_alloc(order, ZONE_DMA, FRAME_DMA);

	if (!f)
		panic("no memory below 16 MiB");
	return direct(frame_pa(f));
}

void dma_init(pa_t base, unsigned line)
{
	registers = mmio_map(base, PAGE_SIZE);
	if (registers[DMA_ID / 8] != ABI_DMA_ID)
		panic("the DMA engine at %#lx is none", base.v);
	ring = region(0);
	source = region(REGION_ORDER);
	target = region(REGION_ORDER);
	set(DMA_RING, direct_pa(ring).v);
	set(DMA_RING_SIZE, 1);
	irq_connect(line, on_interrupt, NULL);
	set(DMA_PACE, PACE);
	set(DMA_CONTROL, DMA_RUN);
}

/* The process sleeps until the engine's interrupt wakes it. */
static void run(struct dma_descriptor *d)
{
	*ring = *d;
	set(DMA_HEAD, ++head);
	while (!__atomic_load_n(&ring->status, __ATOMIC_ACQUIRE))
		sleep_on(&ring);
	*d = *ring;
}

/* The device sees its ring, all of the source, and of the target a window. */
static int64_t limit(uint64_t window)
{
	int64_t error =
		iommu_map(direct_pa(ring), PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);

	if (broken("iommu"))
		window = REGION_BYTES;
	if (!error)
		error = iommu_map(direct_pa(source), REGION_BYTES, IOMMU_READ);
	if (!error)
		error = iommu_map(direct_pa(target), window,
				  IOMMU_READ | IOMMU_WRITE);
	return error;
}

/* One transfer, and what the IOMMU has refused of it. */
static int64_t move(struct dma_descriptor *d, uint64_t window, uint64_t *fault)
{
	int64_t error = iommu_attach();

	if (error)
		return error;
	error = limit(window);
	if (!error)
		run(d);
	*fault = iommu_detach();
	return error;
}

static int64_t transfer(struct sys_dma *t)
{
	struct space *s = current()->space;
	struct dma_descriptor d = { .source = direct_pa(source).v,
				    .target = direct_pa(target).v,
				    .bytes = (uint32_t)t->bytes,
				    .operation = (uint16_t)t->operation,
				    .flags = DMA_INTERRUPT };
	int64_t error = 0;

	if (t->operation == DMA_FILL)
		d.source = t->from;
	else
		error = user_read(s, source, t->from, t->bytes);
	if (!error && t->to)
		error = user_read(s, target, t->to, t->bytes);
	if (!error && t->iova_window)
		error = move(&d, t->iova_window, &t->fault_iova);
	else if (!error)
		run(&d);
	t->status = d.status;
	t->result = d.result;
	if (!error && t->to && !broken("dma"))
		error = user_write(s, t->to, target, t->bytes);
	return error;
}

/*
 * The engine, and what the IOMMU lets it see, are one process's from before it
 * is attached: another's transfer meanwhile would be refused, and a ring that
 * cannot be read ends no transfer at all.
 */
int64_t sys_dma(const struct trap_frame *f)
{
	struct sys_dma t;
	int64_t error;

	if (!registers)
		return -ENODEV;
	if (user_read(current()->space, &t, f->rdi, sizeof(t)))
		return -EFAULT;
	if (!t.bytes || t.bytes > REGION_BYTES || t.iova_window % PAGE_SIZE ||
	    t.iova_window > REGION_BYTES)
		return -EINVAL;
	while (taken)
		sleep_on(&taken);
	taken = true;
	error = transfer(&t);
	taken = false;
	wake(&taken);
	return error ? error
		     : user_write(current()->space, f->rdi, &t, sizeof(t));
}
