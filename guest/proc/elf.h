/* SPDX-License-Identifier: MIT */
/* Starting a program: its file is mapped, and read at first touch. */
#ifndef GUEST_PROC_ELF_H
#define GUEST_PROC_ELF_H

#include "guest/fs/inode.h"

/*
 * Map the segments of @file into a new space; its heap begins behind them.
 * *entry is where the program begins. May sleep. 0, -ENOEXEC (no ELF file that
 * we can map), -EIO, or as space_map.
 */
int elf_load(struct space *s, struct inode *file, uintptr_t *entry);

#endif
