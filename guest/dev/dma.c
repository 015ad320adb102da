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
static struct dma_descriptor *ring; /* a frame of them */
static uint32_t head; /* handed over so far */
static uint64_t interrupts;
static bool taken; /* by a process that has a transfer going */

#define RING_SIZE ((uint32_t)(PAGE_SIZE / sizeof(struct dma_descriptor)))

static void set(enum dma_register at, uint64_t value)
{
	registers[at / 8] = value;
}

static void on_interrupt(void *ctx)
{
	(void)ctx;
	set(DMA_IRQ, 0);
	interrupts++;
	wake(&interrupts);
}

void dma_init(pa_t base, unsigned line)
{
	struct frame *f = frames_alloc(0, ZONE_DMA, FRAME_DMA);

	registers = mmio_map(base, PAGE_SIZE);
	if (!f || registers[DMA_ID / 8] != ABI_DMA_ID)
		panic("the DMA engine at %#lx is none", base.v);
	ring = direct(frame_pa(f));
	set(DMA_RING, frame_pa(f).v);
	set(DMA_RING_SIZE, RING_SIZE);
	irq_connect(line, on_interrupt, NULL);
	set(DMA_PACE, PACE);
	set(DMA_CONTROL, DMA_RUN);
}

/* One transfer; the process sleeps until the engine's interrupt wakes it. */
static struct dma_descriptor run(const struct dma_descriptor *want)
{
	struct dma_descriptor *d;

	d = &ring[head % RING_SIZE];
	*d = *want;
	set(DMA_HEAD, ++head);
	while (!__atomic_load_n(&d->status, __ATOMIC_ACQUIRE))
		sleep_on(&interrupts);
	return *d;
}

/* A buffer of the program's, and the region that stands for it. */
struct side {
	struct frame *region;
	uintptr_t user; /* 0: there is none */
};

static int64_t side_begin(struct side *s, uintptr_t user, uint64_t bytes)
{
	s->user = user;
	s->region = frames_alloc(REGION_ORDER, ZONE_DMA, FRAME_DMA);
	if (!s->region)
		return -ENOMEM;
	if (!user)
		return 0;
	return user_read(current()->space, direct(frame_pa(s->region)), user,
			 bytes);
}

static void side_end(const struct side *s)
{
	if (s->region)
		frames_free(s->region, REGION_ORDER);
}

/* The device sees its ring, all of the source, and of the target the window. */
static int64_t limit(const struct sys_dma *t, const struct side *from,
		     const struct side *to)
{
	const pa_t ring_pa = { registers[DMA_RING / 8] };
	int64_t error = iommu_map(ring_pa, PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);

	if (!error)
		error = iommu_map(frame_pa(from->region), REGION_BYTES,
				  IOMMU_READ);
	if (!error)
		error = iommu_map(frame_pa(to->region),
				  broken("iommu") ? REGION_BYTES
						  : t->iova_window,
				  IOMMU_READ | IOMMU_WRITE);
	return error;
}

/*
 * The engine, and what the IOMMU lets it see, are one process's from before it
 * is attached: another's transfer meanwhile would be refused, and a ring that
 * cannot be read ends no transfer at all.
 */
static void take(void)
{
	while (taken)
		sleep_on(&taken);
	taken = true;
}

static void give(void)
{
	taken = false;
	wake(&taken);
}

static int64_t transfer(struct sys_dma *t, const struct side *from,
			const struct side *to)
{
	struct dma_descriptor d = { .source = frame_pa(from->region).v,
				    .target = frame_pa(to->region).v,
				    .bytes = (uint32_t)t->bytes,
				    .operation = (uint16_t)t->operation,
				    .flags = DMA_INTERRUPT };
	uint64_t before;
	int64_t error;

	if (t->operation == DMA_FILL)
		d.source = t->from;
	take();
	before = interrupts;
	error = t->iova_window ? iommu_attach() : 0;
	if (!error && t->iova_window) {
		error = limit(t, from, to);
		if (!error)
			d = run(&d);
		t->fault_iova = iommu_detach();
	} else if (!error) {
		d = run(&d);
	}
	give();
	t->status = d.status;
	t->result = d.result;
	t->interrupts = interrupts - before;
	t->from_pa = frame_pa(from->region).v;
	t->to_pa = frame_pa(to->region).v;
	if (!error && to->user && !broken("dma"))
		error = user_write(current()->space, to->user,
				   direct(frame_pa(to->region)), t->bytes);
	return error;
}

int64_t sys_dma(const struct trap_frame *f)
{
	struct side from = { 0 }, to = { 0 };
	struct sys_dma t;
	int64_t error;

	if (!registers)
		return -ENODEV;
	if (user_read(current()->space, &t, f->rdi, sizeof(t)))
		return -EFAULT;
	if (!t.bytes || t.bytes > REGION_BYTES || t.iova_window % PAGE_SIZE ||
	    t.iova_window > REGION_BYTES)
		return -EINVAL;
	error = side_begin(&from, t.operation == DMA_FILL ? 0 : t.from,
			   t.bytes);
	if (!error)
		error = side_begin(&to, t.to, t.bytes);
	if (!error)
		error = transfer(&t, &from, &to);
	side_end(&from);
	side_end(&to);
	if (!error)
		error = user_write(current()->space, f->rdi, &t, sizeof(t));
	return error;
}
