/* SPDX-License-Identifier: MIT */
/*
 * Where things are in virtual memory. Plain numbers: assembly reads this too.
 *
 *   0xffffffff80200000  kernel image, 4 KiB pages: text RX, rodata R, data RW
 *   0xffffd90000000000  vmalloc: scattered frames in a row, 4 KiB pages, RW, NX
 *   0xffffc90000000000  device registers, uncached
 *   0xffff888000000000  direct map: RAM up to RAM_MOST, 2 MiB pages, RW, NX
 *   ------------------  non-canonical hole
 *   0x00007ffffffff000  end of user space (the last page stays empty, so that
 *                       no instruction's successor is non-canonical)
 *   0x0000700000000000  user stack, downwards
 *   0x0000100000000000  mmap, upwards
 *   0x0000000000400000  program: text, rodata, data, bss, heap
 *   0x0000000000200000  the system-call gate, one page
 */
#pragma once

#define KERNEL_BASE   0xffffffff80000000
#define KERNEL_LOAD   0x200000
#define VMALLOC_BASE  0xffffd90000000000
#define VMALLOC_BYTES 0x4000000000
#define MMIO_BASE     0xffffc90000000000
#define DIRECT_BASE   0xffff888000000000

#define USER_END      0x00007ffffffff000
#define STACK_TOP     0x0000700000000000
#define STACK_MAX     0x100000
#define MMAP_BASE     0x0000100000000000
#define USER_START    0x200000
#define GATE_PAGE     0x200000

/* More RAM than this is left alone: mapping a TiB takes seconds. */
#define RAM_MOST 0x4000000000

/* Until the kernel has tables of its own it sees this much of RAM. */
#define BOOT_WINDOW 0x40000000
