/* SPDX-License-Identifier: MIT */
/* What programs need of strings, beyond lib/string.h. */
#pragma once

#include <stddef.h>

void *memmove(void *to, const void *from, size_t n);

/* Cut where there is no more room, and always ended; the length of @from. */
size_t strlcpy(char *to, const char *from, size_t room);

/* The first @c in @s (the NUL counts), or NULL. */
char *strchr(const char *s, int c);
