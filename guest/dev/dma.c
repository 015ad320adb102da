/* SPDX-License-Identifier: MIT */
/*
 * Driver of the DMA engine (guest/abi.h): bytes are moved while the processor
 * does something else.
 *
 * The engine is one of the old kind, whose addresses have 24 bits: what it
 * reads and writes is a *DMA region*, frames in a row below 16 MiB, through
 * which a program's bytes pass.
 */
#include "guest/dev/lab.h"

#include "guest/dev/virtio.h"
#include "guest/dev/apic.h"
#include "guest/lib/base.h"
#include "guest/mm/frame.h"
#include "guest/mm/table.h"
#include "guest/proc/sched.h"
#include "guest/proc/syscall.h"

#define REGION_BYTES (15 * PAGE_SIZE)
/* Bytes a millisecond: a region takes long enough to see others run. */
#define PACE (2 * PAGE_SIZE)

/* All that the engine sees, in one block. The target is last, so that its
 * window has one end only. */
struct shared {
	union {
		struct dma_descriptor ring; /* of one */
		uint8_t page[PAGE_SIZE];
	};
	uint8_t source[REGION_BYTES], target[REGION_BYTES];
};

#define SHARED_ORDER 5
static_assert(sizeof(struct shared) <= PAGE_SIZE << SHARED_ORDER, "a block");

static volatile uint64_t *registers;
static struct shared *shared;
static uint32_t head; /* handed over so far */
static bool taken; /* all of it, by a process that has a transfer going */

static void set(enum dma_register at, uint64_t value)
{
	registers[at / 8] = value;
}

static void on_interrupt(void *ctx)
{
	set(DMA_IRQ, 0);
	wake(ctx);
}

void dma_init(void)
{
	struct frame *f = frames_alloc(SHARED_ORDER, ZONE_DMA, FRAME_DMA);

	registers = mmio_map(this_machine.dma.at);
	if (!f || registers[DMA_ID / 8] != ABI_DMA_ID)
		panic("the DMA engine is none");
	shared = frame_bytes(f);
	set(DMA_RING, frame_pa(f).v);
	set(DMA_RING_SIZE, 1);
	irq_connect(&this_machine.dma, on_interrupt, shared);
	set(DMA_PACE, PACE);
	set(DMA_CONTROL, DMA_RUN);
}

/* The process sleeps until the engine's interrupt wakes it. */
static void run(struct dma_descriptor *d)
{
	shared->ring = *d;
	set(DMA_HEAD, ++head);
	while (!__atomic_load_n(&shared->ring.status, __ATOMIC_ACQUIRE))
		sleep_on(shared);
	*d = shared->ring;
}

/* One transfer through a window: of the target only so many bytes are seen. */
static int64_t move(struct dma_descriptor *d, uint64_t window, uint64_t *fault)
{
	int64_t error = iommu_attach();

	if (error)
		return error;
	if (broken("iommu"))
		window = REGION_BYTES;
	error = iommu_map(direct_pa(shared),
			  offsetof(struct shared, target) + window);
	if (!error)
		run(d);
	*fault = iommu_detach();
	return error;
}

static int64_t transfer(struct sys_dma *t)
{
	struct space *s = current()->space;
	struct dma_descriptor d = { .source = direct_pa(shared->source).v,
				    .target = direct_pa(shared->target).v,
				    .bytes = (uint32_t)t->bytes,
				    .operation = (uint16_t)t->operation,
				    .flags = DMA_INTERRUPT };
	int64_t error = 0;

	if (t->operation == DMA_FILL)
		d.source = t->from;
	else
		error = user_read(s, shared->source, t->from, t->bytes);
	if (!error && t->to)
		error = user_read(s, shared->target, t->to, t->bytes);
	if (!error && t->iova_window)
		error = move(&d, t->iova_window, &t->fault_iova);
	else if (!error)
		run(&d);
	t->status = d.status;
	t->result = d.result;
	if (!error && t->to && !broken("dma"))
		error = user_write(s, t->to, shared->target, t->bytes);
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
