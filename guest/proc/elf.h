/* SPDX-License-Identifier: MIT */
/* Starting a program: its file is mapped, and read at first touch. */
#ifndef GUEST_PROC_ELF_H
#define GUEST_PROC_ELF_H

#include <stdint.h>

#include "guest/mm/space.h"
#include "guest/proc/program.h"

/*
 * Map the segments of @program. *entry is where it begins, *end the first
 * page behind it. 0, -EINVAL (no ELF file we can map), or as space_add.
 */
int elf_load(struct space *s, const struct program *program, uintptr_t *entry,
	     uintptr_t *end);

#endif
