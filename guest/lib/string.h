/* SPDX-License-Identifier: MIT */
/* The few string functions that the kernel and its programs share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n); /* up to a difference */
size_t strlen(const char *s);
bool streq(const char *a, const char *b);

/* What is behind the last '/' of @path, or all of it. */
const char *last_part(const char *path);

/* True when @s begins with @prefix. */
bool str_begins(const char *s, const char *prefix);

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
