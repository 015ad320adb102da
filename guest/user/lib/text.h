/* SPDX-License-Identifier: MIT */
/* What programs need of strings, beyond lib/string.h. */
#pragma once

#include <stddef.h>

void *memmove(void *to, const void *from, size_t n);

/* The first @c in @s (the NUL counts), or NULL. */
char *strchr(const char *s, int c);
