/* SPDX-License-Identifier: MIT */
/*
 * mmio, dma, iommu: registers that are no memory, and memory that something
 * else than the processor reads and writes.
 */
#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_mmio, demo_dma, demo_iommu;

/* Others may disturb what is to be seen; then it is tried again. */
#define TRIES 10u

/* A register page: uncached, for the kernel alone, and no RAM behind it. */
static void check_registers(struct demo *d, uint64_t at)
{
	const uint64_t bits = PTE_P | PTE_W | PTE_U | PTE_PCD;
	struct walk w = demo_walk((void *)at);
	struct frame f;

	demo_is(d, w.entry[w.entries - 1] & bits, PTE_P | PTE_W | PTE_PCD);
	kernel_frame(w.pa, &f);
	demo_is(d, f.use, FRAME_NONE);
	demo_is(d, access_error(at, READ), FAULT_P | FAULT_U);
	demo_note(d, "%#lx maps %#lx with PCD", at, w.pa);
}

#define REGISTER_READS 8u

/* Two arguments and the command written, status and result read. */
#define LAB_ACCESSES 5u

/*
 * Each access leaves the guest: what it reads was never cached. An interrupt
 * of another device costs accesses, too: the fewest count.
 */
static void count_exits(struct demo *d)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t exits = demo_lab_counters(d).mmio_exits;

		for (unsigned n = 0; n < REGISTER_READS; n++)
			demo_info(); /* reads the ID register */
		exits = demo_lab_counters(d).mmio_exits - exits;
		least = exits < least ? exits : least;
	}
	demo_is(d, least, REGISTER_READS + LAB_ACCESSES);
	demo_note(d, "; read %u times, and the hypervisor asked: %lu exits",
		  REGISTER_READS, least);
}

void demo_mmio(struct demo *d)
{
	struct sys_info info = demo_info();

	check_registers(d, info.lapic);
	demo_note(d, ": local APIC, version register %#lx", info.lapic_version);
	if (!info.lab) {
		demo_note(d, "; no lab device");
		return;
	}
	demo_note(d, "; ");
	check_registers(d, info.lab);
	demo_is(d, info.lab_id, ABI_LAB_ID);
	demo_note(d, ": lab device, ID register %#lx", info.lab_id);
	count_exits(d);
}

#define BUFFER_PAGES 8u
#define BUFFER	     (BUFFER_PAGES * PAGE_SIZE)
#define WORDS	     (BUFFER / 8)

/* Of the kernel's: what the engine sees, and how far it can. */
#define REGION	(32 * PAGE_SIZE)
#define DMA_END (16ul << 20)

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

/* What both processes see. */
struct transfer {
	volatile uint64_t laps;
	volatile uint32_t going; /* the pid of who waits for it, or 0 */
	volatile uint32_t asleep; /* it was seen to sleep meanwhile */
};

static bool is_asleep(uint32_t pid)
{
	struct process_info p;

	for (unsigned i = 0; process_info(i, &p) == 1; i++)
		if (p.pid == pid)
			return p.state == SLEEPING;
	return false;
}

/* Count while the transfer lasts: the CPU is ours, for its owner sleeps. */
static void work(struct demo *d, void *what)
{
	struct transfer *t = what;

	sys_cpu(0);
	demo_step(d, 1);
	while (__atomic_load_n(&d->step, __ATOMIC_ACQUIRE) < 2) {
		uint32_t pid = t->going;
		bool asleep = pid && !t->asleep && is_asleep(pid);

		if (pid && t->going) {
			t->asleep |= asleep;
			t->laps++;
		}
	}
}

/* The engine wakes us by an interrupt: nothing else would. */
static void copy_beside(struct demo *d, struct sys_dma *copy,
			struct transfer *t)
{
	unsigned tries = TRIES;
	int64_t pid = demo_child(d, work, t);

	demo_await(d, 1);
	do {
		t->going = (uint32_t)sys_getpid();
		demo_is(d, sys_dma(copy), 0);
		t->going = 0;
	} while (!t->asleep && --tries);
	demo_step(d, 2);
	demo_join(d, pid);
	demo_is(d, copy->status, DMA_DONE);
	demo_true(d, t->laps);
	demo_true(d, t->asleep);
}

/*
 * The region that bytes pass through: one block of frames, in a row, below the
 * 16 MiB that the engine reaches. It has been used: our bytes are there.
 */
static uint64_t find_region(uint64_t first)
{
	uint64_t word = 0;
	struct frame f;

	for (uint64_t pa = 0; pa < DMA_END; pa += REGION) {
		kernel_frame(pa, &f);
		if (f.use == FRAME_DMA && PAGE_SIZE << f.order >= REGION &&
		    !sys_memory(pa + PAGE_SIZE, &word, 8) && word == first)
			return pa;
	}
	return 0;
}

void demo_dma(struct demo *d)
{
	uint64_t *from = demo_map(d, BUFFER, MAP_POPULATE);
	uint64_t *to = demo_map(d, BUFFER, MAP_POPULATE);
	struct transfer *t = demo_map(d, PAGE_SIZE, MAP_SHARED);
	struct sys_dma copy, sum;
	uint64_t region, wrong = 0;

	if (!from || !to || !t)
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

	copy_beside(d, &copy, t);
	region = find_region(from[0]);
	demo_true(d, region);
	for (unsigned i = 0; i < WORDS; i++)
		wrong += to[i] != mix(i);
	demo_is(d, wrong, 0);
	demo_note(d,
		  "%lu bytes at frame %#lx summed to %#lx and copied to frame "
		  "%#lx by the engine, through %lu KiB at %#lx; meanwhile we "
		  "slept, and another process did %lu laps",
		  BUFFER, demo_walk(from).pa, sum.result, demo_walk(to).pa,
		  REGION >> 10, region, t->laps);
	sys_munmap((uintptr_t)from, BUFFER);
	sys_munmap((uintptr_t)to, BUFFER);
	sys_munmap((uintptr_t)t, PAGE_SIZE);
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
