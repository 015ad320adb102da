/* SPDX-License-Identifier: MIT */
/*
 * Memory that is all zero, for tables and buffers of which perhaps little will
 * ever be written: what is not costs the host nothing. (calloc clears what it
 * takes from its heap, and so takes it of the host.) From a page on they are
 * whole pages; smaller ones share.
 */
#ifndef EPT_ZEROED_H
#define EPT_ZEROED_H

#include <stdlib.h>
#include <sys/mman.h>

#include "ept/addr.h"

/* NULL: no memory. */
static inline void *zeroed_new(size_t bytes)
{
	void *at;

	if (bytes < PAGE_SIZE)
		return calloc(bytes, 1);
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

/* What zeroed_new(@bytes) gave; NULL is nothing. */
static inline void zeroed_free(void *at, size_t bytes)
{
	if (bytes < PAGE_SIZE)
		free(at);
	else if (at)
		munmap(at, bytes);
}

/* The host may have @bytes at @at, whole pages, back: all zero again. */
static inline void zeroed_again(void *at, size_t bytes)
{
	madvise(at, bytes, MADV_DONTNEED);
}

#endif
