/* SPDX-License-Identifier: MIT */
#include "guest/cpu/tlb.h"

#include "guest/cpu/cpu.h"
#include "guest/mm/space.h"

void tlb_flush_page(struct space *s, uintptr_t va)
{
	(void)s;
	invlpg(va);
}

void tlb_flush_space(struct space *s)
{
	write_cr3(s->root);
}
