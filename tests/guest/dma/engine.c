/* SPDX-License-Identifier: MIT */
#include "tests/guest/dma/engine.h"

#define VECTOR 0x40u
#define DMA    ((volatile uint64_t *)(uintptr_t)ABI_DMA_BASE)
#define APIC   ((volatile uint32_t *)0xfee00000ul)
#define IOAPIC ((volatile uint32_t *)0xfec00000ul)

_Alignas(4096) struct dma_descriptor ring[RING];
volatile uint32_t engine_interrupts;
static uint64_t idt[VECTOR + 1][2];

void interrupt_entry(void);
void on_interrupt(void);

uint64_t engine_get(enum dma_register r)
{
	return DMA[r / 8];
}

void engine_set(enum dma_register r, uint64_t value)
{
	DMA[r / 8] = value;
}

void on_interrupt(void)
{
	engine_set(DMA_IRQ, 0);
	engine_interrupts++;
	APIC[0xb0 / 4] = 0; /* EOI */
}

void engine_connect(void)
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
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)0xff), "Nd"(0x21));
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)0xff), "Nd"(0xa1));
	APIC[0xf0 / 4] = 0x1ff; /* the APIC is on */
	IOAPIC[0] = 0x10 + 2 * ABI_DMA_IRQ;
	IOAPIC[4] = VECTOR | 1u << 15; /* level-triggered, high */
	IOAPIC[0] = 0x11 + 2 * ABI_DMA_IRQ;
	IOAPIC[4] = 0; /* to CPU 0 */
	__asm__ volatile("sti");
}

void engine_start(uint64_t at, uint64_t bits)
{
	engine_set(DMA_CONTROL, DMA_RESET);
	while (engine_get(DMA_STATE) & DMA_BUSY)
		__asm__ volatile("pause");
	engine_set(DMA_RING, at);
	engine_set(DMA_RING_SIZE, RING);
	engine_set(DMA_BITS, bits);
	engine_set(DMA_CONTROL, DMA_RUN);
}

struct dma_descriptor *engine_slot(uint64_t i)
{
	return &ring[i % RING];
}

void engine_sleep(uint64_t head)
{
	for (;;) {
		__asm__ volatile("cli" : : : "memory");
		if (engine_get(DMA_TAIL) == head)
			break;
		__asm__ volatile("sti; hlt");
	}
	__asm__ volatile("sti" : : : "memory");
}

void engine_run(uint32_t n)
{
	uint64_t head = engine_get(DMA_HEAD) + n;

	engine_slot(head - 1)->flags |= DMA_INTERRUPT;
	engine_set(DMA_HEAD, head);
	engine_sleep(head);
}

struct dma_descriptor engine_one(struct dma_descriptor d)
{
	struct dma_descriptor *slot = engine_slot(engine_get(DMA_HEAD));

	*slot = d;
	engine_run(1);
	return *slot;
}
