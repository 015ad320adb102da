/* SPDX-License-Identifier: MIT */
/*
 * Memory that is all zero, for tables and buffers of which perhaps little will
 * ever be written: what is not costs the host nothing. (calloc clears what it
 * takes from its heap, and so takes it of the host.)
 */
#ifndef EPT_ZEROED_H
#define EPT_ZEROED_H

#include <stdlib.h>
#include <sys/mman.h>

#include "ept/addr.h"

#define ZEROED_ARRAY (32 * PAGE_SIZE)

/* Whole pages. NULL: no memory. */
static inline void *zeroed_new(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	/* A huge page would take of the host what nobody touches. */
	madvise(at, bytes, MADV_NOHUGEPAGE);
	return at;
}

/* What zeroed_new(@bytes) gave; NULL is nothing. */
static inline void zeroed_free(void *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

/* The same for an array that will be written all over some day. A small one
 * shares pages with others: the rest of its last page would be a waste. */
static inline void *zeroed_array_new(size_t bytes)
{
	return bytes < ZEROED_ARRAY ? calloc(bytes, 1) : zeroed_new(bytes);
}

static inline void zeroed_array_free(void *at, size_t bytes)
{
	if (bytes < ZEROED_ARRAY)
		free(at);
	else
		zeroed_free(at, bytes);
}

/* The host may have @bytes at @at, whole pages, back: all zero again. */
static inline void zeroed_again(void *at, size_t bytes)
{
	madvise(at, bytes, MADV_DONTNEED);
}

#endif
