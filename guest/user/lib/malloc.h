/* SPDX-License-Identifier: MIT */
/*
 * Memory by the byte. What is asked for is aligned to 16 and not cleared
 * (calloc clears); NULL when there is none.
 */
#pragma once

#include <stddef.h>

void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *p, size_t bytes);
void free(void *p);
