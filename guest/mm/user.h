/* SPDX-License-Identifier: MIT */
/*
 * Copies between the kernel and a program. The kernel never follows a user
 * pointer: it looks each page up in the program's own areas and tables, and
 * uses the direct map. So a bad pointer is an answer, not a fault, and SMAP
 * need never be lifted. All may sleep.
 */
#ifndef GUEST_MM_USER_H
#define GUEST_MM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/space.h"

/*
 * Where the kernel sees the byte at @va, and the rest of its page; NULL if the
 * program may not. Until the next sleep.
 */
void *user_byte(struct space *s, uintptr_t va, bool write);

/* 0 or -EFAULT; then a part may have been copied. */
int user_write(struct space *s, uintptr_t to, const void *from, size_t n);
int user_read(struct space *s, void *to, uintptr_t from, size_t n);

/*
 * A string into to[@room], with its NUL. Its length, -EFAULT, -ENAMETOOLONG.
 */
int64_t user_string(struct space *s, char *to, uintptr_t from, size_t room);

#endif
