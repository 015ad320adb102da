/* SPDX-License-Identifier: MIT */
/*
 * wreck.elf: a guest that destroys what it stands on. Its command line is
 * BY WHAT: by "balloon" it gives the pages away, by "dma" it has the engine
 * fill them with zeros; what is lost are its page "tables", its "idt", the
 * "code" that it runs next, or (by the balloon) "all" of its RAM.
 *
 * It cannot go on after that, and so crashes. Where it lives it ends with 1.
 */
#include <stdint.h>

#include "devices/virtio_balloon.h"
#include "guest/abi.h"
#include "guest/boot/pvh.h"
#include "tests/guest/dma/driver.h"

#define PAGE   4096u
#define RAM    (16u << 20)
#define TABLES 4u /* that start.S has, from CR3 on */
#define DMA    ((volatile uint64_t *)(uintptr_t)ABI_DMA_BASE)

void on_interrupt(void);
int main(const struct hvm_start_info *info);

static _Alignas(4096) uint64_t idt[PAGE / 8];
static _Alignas(4096) struct dma_descriptor ring[1];
static struct queue queue[2];

/* Never enabled; start.S wants to call one. */
void on_interrupt(void)
{
	end(2);
}

/* A page of its own that says yes, and one behind it that traps. */
__asm__(".pushsection .text\n"
	".balign 4096\n"
	"answer: mov $1, %eax; ret\n"
	".balign 4096\n"
	".rept 2048; ud2; .endr\n"
	".popsection\n");
extern const uint8_t answer[];

/* Zeros as code are adds to where RAX points. */
static uint32_t call_answer(void)
{
	static uint64_t target;
	uint64_t rax = (uintptr_t)&target;

	__asm__ volatile("call answer" : "+a"(rax) : : "memory", "cc");
	return (uint32_t)rax;
}

__asm__(".pushsection .text\n"
	"on_trap: mov $1, %edi; call end\n"
	".popsection\n");
extern const uint8_t on_trap[];

/* Vector 6, an invalid opcode, is all it has. */
static void load_idt(void)
{
	const uint64_t at = (uintptr_t)on_trap;
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	idt[12] = (at & 0xffff) | 8u << 16 | ((at & 0xffff0000) | 0x8e00) << 32;
	idt[13] = at >> 32;
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static uint64_t tables(void)
{
	uint64_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	return cr3;
}

static void by_balloon(uint64_t at, uint32_t pages)
{
	static uint32_t pfn[256];
	volatile uint32_t *d = device_find(VIRTIO_ID_BALLOON);

	device_start(d, 0, queue, 2);
	for (uint32_t done = 0; done < pages; done += 256) {
		uint32_t n = pages - done < 256 ? pages - done : 256;

		for (uint32_t i = 0; i < n; i++)
			pfn[i] = (uint32_t)(at / PAGE) + done + i;
		queue_lend(d, &queue[0], 0, pfn, n * 4, 0, 0);
		queue_wait(&queue[0]);
	}
}

static void by_dma(uint64_t at, uint32_t pages)
{
	const uint64_t head = DMA[DMA_HEAD / 8] + 1;

	ring[0] = (struct dma_descriptor){ .target = at,
					   .bytes = pages * PAGE,
					   .operation = DMA_FILL };
	DMA[DMA_RING / 8] = (uintptr_t)ring;
	DMA[DMA_RING_SIZE / 8] = 1;
	DMA[DMA_CONTROL / 8] = DMA_RUN;
	DMA[DMA_HEAD / 8] = head;
	while (DMA[DMA_TAIL / 8] != head)
		__asm__ volatile("pause");
}

int main(const struct hvm_start_info *info)
{
	const char *words = (const char *)(uintptr_t)info->cmdline_at;
	void (*lose)(uint64_t at, uint32_t pages) =
		words[0] == 'b' ? by_balloon : by_dma;

	while (*words++ != ' ')
		;
	load_idt();
	want(call_answer() == 1, 3, "an answer");
	say("loses ");
	say(words);
	say("\n");
	switch (*words) {
	case 't':
		lose(tables(), TABLES);
		__asm__ volatile("mov %0, %%cr3" : : "r"(tables()) : "memory");
		break;
	case 'i':
		lose((uintptr_t)idt, 1);
		__asm__ volatile("ud2");
		break;
	case 'c':
		lose((uintptr_t)idt, 1);
		lose((uintptr_t)answer, 1);
		call_answer();
		break;
	default:
		lose(0, RAM / PAGE);
		break;
	}
	end(1);
}
