/* SPDX-License-Identifier: MIT */
/* What programs need of a C library, beyond lib/string.h and lib/format.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One call, one write, cut at 1 KiB. Returns how long the text wanted to be. */
__attribute__((format(printf, 1, 2))) int printf(const char *how, ...);
__attribute__((format(printf, 2, 3))) int dprintf(int fd, const char *how, ...);

/* All @n bytes, however few the kernel takes at a time. 0 or -errno. */
int write_all(int fd, const void *from, size_t n);

/* All of @text is a number, decimal or 0x and hexadecimal. */
bool parse_number(const char *text, uint64_t *value);

/* All of @text is a number of bytes: decimal, then perhaps K, M or G. */
bool parse_size(const char *text, uint64_t *bytes);
