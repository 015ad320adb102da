/* SPDX-License-Identifier: MIT */
/*
 * The kernel's half of every address space (mm/layout.h): its image, all of RAM
 * in large pages, device registers.
 */
#include "guest/mm/table.h"

#include "guest/lib/base.h"
#include "guest/mm/frame.h"

/* kernel.ld */
extern const char kernel_start[], text_end[], rodata_end[], kernel_end[];

static uint64_t root_table[TABLE_ENTRIES] __attribute__((aligned(PAGE_SIZE)));
pa_t kernel_root = { (uintptr_t)root_table - KERNEL_BASE };
static uintptr_t mmio_next = MMIO_BASE;

static uint64_t *kernel_slot(uintptr_t va, int level)
{
	uint64_t *at = table_slot(kernel_root, va, level);

	if (!at)
		panic("no frame for the kernel's tables");
	return at;
}

/*
 * Map [va, end) to [pa, ...): large pages where everything is aligned. The
 * inner loop fills one table; it is all that grows with the size of RAM.
 */
static void map(uintptr_t va, uintptr_t end, pa_t pa, uint64_t bits)
{
	while (va < end) {
		bool large =
			(va | pa.v) % LARGE_SIZE == 0 && end - va >= LARGE_SIZE;
		int level = large ? 2 : 1;
		uintptr_t step = level_bytes(level);
		uint64_t entry =
			pa.v | bits | PTE_P | pte_g | (large ? PTE_PS : 0);
		uint64_t *at = kernel_slot(va, level);
		uint64_t *table_end =
			at + TABLE_ENTRIES - level_index(va, level);

		for (; at < table_end && end - va >= step; va += step) {
			*at++ = entry;
			entry += step;
		}
		pa = pte_pa(entry);
	}
}

static void map_image(const char *from, const char *to, uint64_t bits)
{
	map((uintptr_t)from, (uintptr_t)to, image_pa(from), bits);
}

void kmap_init(void)
{
	map_image(kernel_start, text_end, 0);
	map_image(text_end, rodata_end, pte_nx);
	map_image(rodata_end, kernel_end, PTE_W | pte_nx);
	for (unsigned i = 0; i < this_machine.rams; i++) {
		struct range r = this_machine.ram[i];

		map((uintptr_t)direct(r.start), (uintptr_t)direct(r.end),
		    r.start, PTE_W | pte_nx);
	}
	/* New roots copy this half once: its top entries must exist by now. */
	kernel_slot(MMIO_BASE, 1);
	kernel_slot(VMALLOC_BASE, 1);
	write_cr3(kernel_root.v);
	frame_zone = ZONE_NORMAL;
}

volatile void *mmio_map(pa_t at)
{
	uintptr_t va = mmio_next;

	mmio_next += PAGE_SIZE;
	map(va, mmio_next, (pa_t){ page_down(at.v) },
	    PTE_W | (broken("mmio") ? 0 : PTE_PCD) | pte_nx);
	return (volatile void *)(va + page_offset(at.v));
}

bool kmap_new_root(pa_t *root)
{
	struct frame *f = frame_alloc(FRAME_TABLE);
	size_t half = PAGE_SIZE / 2;

	if (!f)
		return false;
	f->next = 0;
	f->index = 0;
	*root = frame_pa(f);
	memcpy((char *)direct(*root) + half, (char *)root_table + half, half);
	return true;
}
