/* SPDX-License-Identifier: MIT */
/* Bytes as text (RFC 4648, 4), with padding. */
#ifndef VMM_BASE64_H
#define VMM_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Malloced, with its NUL; NULL: no memory. */
char *base64_encode(const void *from, size_t len);

/* Into to[@room]. False: it is not base64, or has more bytes. */
bool base64_decode(const char *text, void *to, size_t room, size_t *len);

#endif
