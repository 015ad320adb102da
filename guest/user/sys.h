/* SPDX-License-Identifier: MIT */
/* System calls as functions. All answer a value, or -errno. */
#ifndef GUEST_USER_SYS_H
#define GUEST_USER_SYS_H

#include <stddef.h>
#include <stdint.h>

#include "guest/mm/layout.h"
#include "guest/proc/api.h"

/* Call the gate: the only way into the kernel, see proc/gate.h. */
static inline int64_t sys_call6(enum sys_number number, uint64_t a, uint64_t b,
				uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	int64_t answer = number;

	__asm__ volatile("call *%[gate]"
			 : "+a"(answer)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9), [gate] "r"((uint64_t)GATE_PAGE)
			 : "rcx", "r11", "memory");
	return answer;
}

static inline int64_t sys_call(enum sys_number number, uint64_t a, uint64_t b,
			       uint64_t c)
{
	return sys_call6(number, a, b, c, 0, 0, 0);
}

_Noreturn void sys_exit(int status);
int64_t sys_write(int fd, const void *from, size_t n);
int64_t sys_mmap(uint64_t at, size_t bytes, unsigned prot, unsigned flags);
int64_t sys_munmap(uint64_t at, size_t bytes);
int64_t sys_mprotect(uint64_t at, size_t bytes, unsigned prot);
int64_t sys_sbrk(size_t bytes);
int64_t sys_ticks(void);
int64_t sys_info(struct sys_info *info);
int64_t sys_counts(struct sys_counts *counts);
int64_t sys_walk(uint64_t at, struct sys_walk *walk);
int64_t sys_pte_clear(uint64_t at, uint64_t bits);
int64_t sys_frame(uint64_t pa, struct frame_info *info);
int64_t sys_lab(struct sys_lab *lab);

#endif
