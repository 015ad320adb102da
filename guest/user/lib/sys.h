/* SPDX-License-Identifier: MIT */
/* System calls as functions. All answer a value, or -errno. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/layout.h"
#include "guest/proc/api.h"

/* Call the gate: the only way into the kernel, see proc/syscall.h. */
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

struct dir_entry {
	uint32_t inode;
	bool is_directory;
	char name[NAME_BYTES];
};

/* Processes, memory, files: sys.c. */
_Noreturn void sys_exit(int status);
int64_t sys_fork(void);
int64_t sys_exec(const char *path, char *const *argv);
int64_t sys_wait(int64_t pid, int *status);
int64_t sys_kill(int64_t pid, int signal);
int64_t sys_getpid(void);
int64_t sys_sleep(uint64_t ticks);
int64_t sys_ticks(void);
int64_t sys_set_bases(uint64_t fs, uint64_t gs);
int64_t sys_cpu(int64_t cpu);
int64_t sys_mmap(uint64_t at, size_t bytes, unsigned prot, unsigned flags);
int64_t sys_mmap_file(int fd, uint64_t offset, size_t bytes, unsigned prot,
		      unsigned flags);
int64_t sys_munmap(uint64_t at, size_t bytes);
int64_t sys_mprotect(uint64_t at, size_t bytes, unsigned prot);
int64_t sys_sbrk(size_t bytes);
int64_t sys_mlock(uint64_t at, size_t bytes);
int64_t sys_munlock(uint64_t at, size_t bytes);
int64_t sys_msync(uint64_t at, size_t bytes);
int64_t sys_madvise(uint64_t at, size_t bytes, unsigned advice);
int64_t sys_open(const char *path, unsigned flags);
int64_t sys_close(int fd);
int64_t sys_read(int fd, void *to, size_t n);
int64_t sys_write(int fd, const void *from, size_t n);
int64_t sys_seek(int fd, int64_t offset, unsigned from);
int64_t sys_readdir(int fd, struct dir_entry *entry); /* 1; 0: the end */
int64_t sys_unlink(const char *path);
int64_t sys_mkdir(const char *path);
int64_t sys_pipe(int fd[2]);
int64_t sys_dup(int fd, int to);
int64_t sys_sync(void);

/* What a program cannot see by itself: inspect.c. */
int64_t sys_info(struct sys_info *info);
int64_t sys_lab(unsigned command, uint64_t arg, void *page);
int64_t sys_memory(uint64_t pa, void *to, size_t n);
int64_t sys_report(void);
int64_t sys_limit(uint64_t frames);
int64_t sys_drop_caches(void);
int64_t sys_reclaim(uint64_t frames);
int64_t sys_object(struct sys_object *object);
int64_t sys_probe(struct sys_probe *probe);
int64_t sys_dma(struct sys_dma *dma);

/* All that this process has so far stays where it is: its counts are exact. */
void lock_memory(void);
