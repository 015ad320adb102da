/* SPDX-License-Identifier: MIT */
/*
 * blk.elf: a guest that is nothing but a virtio-blk driver (virtio 1.2, 4.2,
 * 5.2). It fills pages, writes them to disk 0, each where its number says,
 * flushes, reads them back into other pages and compares. Completions come as
 * level-triggered interrupts. Then it reads the disk's last sector, whose
 * first word must be MARK, and asks for a sector beyond: an error.
 *
 * Command line: none. Status 0, or the number of the step that failed.
 */
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio_bits.h"
#include "guest/abi.h"

#define PAGE	4096u
#define PAGES	256u
#define SECTORS 8u /* of a page */
#define MARK	0x6b72616du
#define FROM	0x400000ul /* where the pages lie */
#define TO	0x800000ul
#define QUEUE	16u
#define AT_ONCE 4u /* requests of 3 descriptors each */
#define VECTOR	0x40u

#define BLK	((volatile uint32_t *)(uintptr_t)ABI_VIRTIO_BASE)
#define APIC	((volatile uint32_t *)0xfee00000ul)
#define IOAPIC	((volatile uint32_t *)0xfec00000ul)

enum { BLK_IN, BLK_OUT, BLK_FLUSH = 4 };

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

static struct {
	_Alignas(16) struct vq_desc desc[QUEUE];
	struct {
		volatile uint16_t flags, idx;
		uint16_t ring[QUEUE], used_event;
	} avail;
	_Alignas(4) struct {
		volatile uint16_t flags, idx;
		struct vq_used ring[QUEUE];
		uint16_t avail_event;
	} used;
	struct header header[AT_ONCE];
	volatile uint8_t status[AT_ONCE];
} queue;

static volatile uint32_t interrupts;
static uint64_t idt[VECTOR + 1][2];

void interrupt_entry(void);
void on_interrupt(void);
int main(void);

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void say(const char *text)
{
	while (*text)
		out8(ABI_UART_PORT, (uint8_t)*text++);
}

static _Noreturn void end(uint32_t status)
{
	__asm__ volatile("outl %0, %1" : : "a"(status), "Nd"(ABI_EXIT_PORT));
	for (;;)
		;
}

static void want(int good, uint32_t step, const char *what)
{
	if (good)
		return;
	say("failed: ");
	say(what);
	say("\n");
	end(step);
}

static uint32_t reg(enum virtio_register r)
{
	return BLK[r / 4];
}

static void set(enum virtio_register r, uint32_t value)
{
	BLK[r / 4] = value;
}

/* The line stays high until the device is told: without that, the interrupt
 * comes again at once. */
void on_interrupt(void)
{
	set(VIRTIO_INTERRUPT_ACK, reg(VIRTIO_INTERRUPT_STATUS));
	interrupts++;
	APIC[0xb0 / 4] = 0; /* EOI */
}

static void route_interrupts(void)
{
	uint64_t at = (uintptr_t)interrupt_entry;
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	idt[VECTOR][0] =
		(at & 0xffff) | 8u << 16 | ((at & 0xffff0000) | 0x8e00) << 32;
	idt[VECTOR][1] = at >> 32;
	__asm__ volatile("lidt %0" : : "m"(idtr));
	out8(0x21, 0xff); /* the PICs are masked */
	out8(0xa1, 0xff);
	APIC[0xf0 / 4] = 0x1ff; /* the APIC is on */
	IOAPIC[0] = 0x10 + 2 * ABI_VIRTIO_IRQ;
	IOAPIC[4] = VECTOR | 1u << 15; /* level-triggered, high */
	IOAPIC[0] = 0x11 + 2 * ABI_VIRTIO_IRQ;
	IOAPIC[4] = 0; /* to CPU 0 */
	__asm__ volatile("sti");
}

static void set_address(enum virtio_register low, const volatile void *at)
{
	set(low, (uint32_t)(uintptr_t)at);
	set(low + 4, 0);
}

static void start_device(void)
{
	const uint32_t steps[] = { VIRTIO_ACKNOWLEDGE, VIRTIO_DRIVER };

	want(reg(VIRTIO_MAGIC_VALUE) == VIRTIO_MAGIC &&
		     reg(VIRTIO_VERSION_VALUE) == 2 &&
		     reg(VIRTIO_DEVICE_ID) == VIRTIO_ID_BLK,
	     1, "a disk");
	set(VIRTIO_STATUS, 0);
	for (uint32_t i = 0; i < 2; i++)
		set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | steps[i]);
	set(VIRTIO_DRIVER_FEATURES_SEL, 0);
	set(VIRTIO_DRIVER_FEATURES, 1u << 9); /* FLUSH */
	set(VIRTIO_DRIVER_FEATURES_SEL, 1);
	set(VIRTIO_DRIVER_FEATURES, VIRTIO_F_VERSION_1 >> 32);
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_FEATURES_OK);
	want(reg(VIRTIO_STATUS) & VIRTIO_FEATURES_OK, 2, "features");
	set(VIRTIO_QUEUE_SEL, 0);
	set(VIRTIO_QUEUE_NUM, QUEUE);
	set_address(VIRTIO_QUEUE_DESC_LOW, queue.desc);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, &queue.avail);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, &queue.used);
	set(VIRTIO_QUEUE_READY, 1);
	want(reg(VIRTIO_QUEUE_READY), 3, "the queue");
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_DRIVER_OK);
}

/* Request @n of those under way: one page at @at, and @sector. */
static void ask(uint32_t n, uint32_t type, uint64_t sector, uint64_t at)
{
	struct vq_desc *d = &queue.desc[3 * n];
	uint16_t slot = queue.avail.idx % QUEUE;

	queue.header[n] = (struct header){ type, 0, sector };
	queue.status[n] = 0xff;
	d[0] = (struct vq_desc){
		(uintptr_t)&queue.header[n], sizeof(queue.header[n]),
		VQ_DESC_NEXT, (uint16_t)(3 * n + (type == BLK_FLUSH ? 2 : 1))
	};
	d[1] = (struct vq_desc){ at, PAGE,
				 VQ_DESC_NEXT |
					 (type == BLK_IN ? VQ_DESC_WRITE : 0),
				 (uint16_t)(3 * n + 2) };
	d[2] = (struct vq_desc){ (uintptr_t)&queue.status[n], 1, VQ_DESC_WRITE,
				 0 };
	queue.avail.ring[slot] = (uint16_t)(3 * n);
	__asm__ volatile("" : : : "memory");
	queue.avail.idx++;
}

/* Have the device do what was asked, and sleep until it has. */
static void wait_for_all(void)
{
	set(VIRTIO_QUEUE_NOTIFY, 0);
	for (;;) {
		__asm__ volatile("cli" : : : "memory");
		if (queue.used.idx == queue.avail.idx)
			break;
		__asm__ volatile("sti; hlt");
	}
	__asm__ volatile("sti" : : : "memory");
}

static void move_pages(uint32_t type, uint64_t at)
{
	for (uint32_t i = 0; i < PAGES; i += AT_ONCE) {
		for (uint32_t n = 0; n < AT_ONCE; n++)
			ask(n, type, (i + n) * SECTORS, at + (i + n) * PAGE);
		wait_for_all();
		for (uint32_t n = 0; n < AT_ONCE; n++)
			want(!queue.status[n], 4 + type, "a transfer");
	}
}

static uint32_t word_of(uint32_t page, uint32_t i)
{
	return page << 16 | i;
}

static void fill(void)
{
	for (uint32_t p = 0; p < PAGES; p++) {
		uint32_t *to = (uint32_t *)(FROM + (uint64_t)p * PAGE);

		for (uint32_t i = 0; i < PAGE / 4; i++)
			to[i] = word_of(p, i);
	}
}

static void compare(void)
{
	for (uint32_t p = 0; p < PAGES; p++) {
		const uint32_t *from =
			(const uint32_t *)(TO + (uint64_t)p * PAGE);

		for (uint32_t i = 0; i < PAGE / 4; i++)
			want(from[i] == word_of(p, i), 7, "what was read");
	}
}

/* The last page and the one behind it. */
static void test_the_end(void)
{
	uint32_t sectors = BLK[VIRTIO_CONFIG / 4];

	ask(0, BLK_IN, sectors - SECTORS, TO);
	ask(1, BLK_IN, sectors - SECTORS + 1, TO);
	wait_for_all();
	want(!queue.status[0] && *(volatile uint32_t *)TO == MARK, 8,
	     "the last page");
	want(queue.status[1] == 1, 9, "an error beyond the end");
}

int main(void)
{
	route_interrupts();
	start_device();
	fill();
	move_pages(BLK_OUT, FROM);
	ask(0, BLK_FLUSH, 0, 0);
	wait_for_all();
	want(!queue.status[0], 6, "flush");
	move_pages(BLK_IN, TO);
	compare();
	test_the_end();
	want(interrupts > 0, 10, "interrupts");
	want(!(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET), 11, "its health");
	say("256 pages written, read and compared\n");
	end(0);
}
