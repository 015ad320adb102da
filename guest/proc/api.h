/* SPDX-License-Identifier: MIT */
/*
 * The contract between the kernel and its programs. A system call has its
 * number in RAX and arguments in RDI, RSI, RDX, R10, R8; it is made by calling
 * the gate (mm/layout.h: GATE_PAGE) and answers in RAX: a value, or -errno.
 * RCX and R11 are lost, as they are to the syscall instruction.
 */
#ifndef GUEST_PROC_API_H
#define GUEST_PROC_API_H

#include <stdint.h>

enum sys_number {
	SYS_EXIT, /* (status) */
	SYS_WRITE, /* (text, bytes) to the console */
	SYS_MMAP, /* (address or 0, bytes, prot, map_flags): address */
	SYS_MUNMAP, /* (address, bytes) */
	SYS_MPROTECT, /* (address, bytes, prot) */
	SYS_SBRK, /* (bytes more): where they begin */
	SYS_TICKS, /* (): timer ticks since the kernel started */
	SYS_INFO, /* (struct sys_info *) */
	/* For the demonstrations: what a program cannot see by itself. */
	SYS_CATCH, /* (handler): where the next refused access continues */
	SYS_COUNTS, /* (struct sys_counts *) */
	SYS_WALK, /* (address, struct sys_walk *) */
	SYS_PTE_CLEAR, /* (address, bits): only PTE_A and PTE_D; and invlpg */
	SYS_FRAME, /* (physical address, struct frame_info *) */
	SYS_LAB, /* (struct sys_lab *) */
	SYS_CALLS
};

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };

enum {
	MAP_FIXED = 1, /* here or not at all */
	MAP_POPULATE = 2, /* give the frames now */
	MAP_APART = 4 /* populate from frames far from each other */
};

/* How the gate enters the kernel. */
enum gate_method { GATE_SYSCALL, GATE_TRAP };

struct sys_info {
	uint32_t gate; /* enum gate_method */
	uint32_t cpus;
	uint64_t tsc_hz; /* 0: unknown */
	uint64_t kernel_text; /* an address in it */
	uint64_t direct_map; /* where physical address 0 appears */
	uint64_t lapic, lapic_version; /* address of its registers */
	uint64_t lab, lab_id; /* the same; 0 without the device */
	uint64_t stack_start; /* how far down the stack has grown */
	uint64_t no_execute; /* 1: the processor has NX, and it is on */
	uint64_t zeroed; /* 1: never-written RAM reads as zeros */
};

/* Page faults by kind, and frames. */
struct sys_counts {
	uint64_t faults; /* the sum of the next four */
	uint64_t demand_zero, demand_file, stack, refused;
	uint64_t frames_total, frames_used, frames_tables;
};

/* One walk of the processor's tables, root first. */
struct sys_walk {
	uint32_t entries; /* read: 4 down to a 4 KiB leaf, less else */
	uint32_t found;
	uint64_t pa; /* meaningful when found */
	uint64_t entry[4];
	uint64_t entry_pa[4]; /* where each lies */
};

enum frame_use {
	FRAME_NONE, /* no RAM there */
	FRAME_RESERVED, /* the first MiB, the kernel, the loader's data */
	FRAME_UNUSED, /* never handed out */
	FRAME_FREE, /* given back */
	FRAME_TABLE,
	FRAME_USER
};

struct frame_info {
	uint32_t use; /* enum frame_use */
	uint32_t count;
};

/* One command to the lab device (guest/abi.h: enum lab_command). */
struct sys_lab {
	uint32_t command;
	uint32_t reserved;
	uint64_t arg; /* a physical address; for LAB_WALK a virtual one */
	uint64_t result;
	uint64_t buffer; /* where LAB_COUNTERS and LAB_WALK write to, or 0 */
};

#endif
