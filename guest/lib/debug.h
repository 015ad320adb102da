/* SPDX-License-Identifier: MIT */
/*
 * The kernel option "debug": freed memory is filled with a pattern and looked
 * at before it is used again, and what programs of the kernel's own do wrong
 * with memory ends the run with its name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool debug_checks;

/* What freed memory holds. As an address it is not canonical. */
#define POISON 0x6b6b6b6b6b6b6b6bul

/* All of @from[words] is @word: one instruction, however long. */
static inline bool all_words(const void *from, uint64_t word, size_t words)
{
	bool same;

	__asm__ volatile("cmp %%rcx, %%rcx; repe scasq"
			 : "=@cce"(same), "+D"(from), "+c"(words)
			 : "a"(word)
			 : "memory");
	return same;
}

static inline void fill_words(void *to, uint64_t word, size_t words)
{
	__asm__ volatile("rep stosq"
			 : "+D"(to), "+c"(words)
			 : "a"(word)
			 : "memory");
}
