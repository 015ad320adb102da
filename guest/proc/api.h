/* SPDX-License-Identifier: MIT */
/*
 * The contract between the kernel and its programs. A system call has its
 * number in RAX and arguments in RDI, RSI, RDX, R10, R8, R9; it is made by
 * calling the gate (mm/layout.h: GATE_PAGE) and answers in RAX: a value, or
 * -errno. RCX and R11 are lost, as they are to the syscall instruction.
 *
 * A program begins with its arguments on top of its stack, one string after the
 * other: RSI bytes from RDI on.
 */
#pragma once

#include <stdint.h>

/*
 * All of them: number, the kernel's function, (arguments): what it answers, if
 * that is not just 0 or -errno. What is asked for by index answers 1, or 0 at
 * the end.
 */
/* clang-format off */
#define SYSTEM_CALLS(CALL) \
	/* Processes. */ \
	CALL(SYS_EXIT, sys_exit) /* (status) */ \
	CALL(SYS_FORK, sys_fork) /* (): the child's pid, or 0 in the child */ \
	CALL(SYS_EXEC, sys_exec) /* (path, arguments, bytes) */ \
	CALL(SYS_WAIT, sys_wait) /* (pid or -1, int *status): its pid */ \
	CALL(SYS_KILL, sys_kill) /* (pid, SIGNAL_KILL) */ \
	CALL(SYS_GETPID, sys_getpid) \
	CALL(SYS_SLEEP, sys_sleep) /* (ticks) */ \
	CALL(SYS_TICKS, sys_ticks) /* (): of the timer since the start */ \
	CALL(SYS_CATCH, sys_catch) /* (where a refused access continues) */ \
	CALL(SYS_SET_BASES, sys_set_bases) /* (FS base, GS base): thread-local */ \
	CALL(SYS_CPU, sys_cpu) /* (cpu or -1): stay on it; where we are */ \
	/* Memory. */ \
	CALL(SYS_MMAP, sys_mmap) /* (address or 0, bytes, prot, flags, fd, \
		offset): of a file, no more pages than it has */ \
	CALL(SYS_MUNMAP, sys_munmap) /* (address, bytes) */ \
	CALL(SYS_MPROTECT, sys_mprotect) /* (address, bytes, prot) */ \
	CALL(SYS_SBRK, sys_sbrk) /* (bytes more): where they begin */ \
	CALL(SYS_MADVISE, sys_madvise) /* (address, bytes, madvise_advice) */ \
	/* Files. */ \
	CALL(SYS_OPEN, sys_open) /* (path, open_flags): fd */ \
	CALL(SYS_CLOSE, sys_close) /* (fd) */ \
	CALL(SYS_READ, sys_copy) /* (fd, buffer, bytes): read, 0 at the end */ \
	CALL(SYS_WRITE, sys_copy) /* (fd, buffer, bytes): written */ \
	CALL(SYS_SEEK, sys_seek) /* (fd, offset, seek_from): the new offset */ \
	CALL(SYS_UNLINK, sys_unlink) /* (path) */ \
	CALL(SYS_PIPE, sys_pipe) /* (): fd to read, + fd to write << 32 */ \
	CALL(SYS_DUP, sys_dup) /* (fd, to): the new fd */ \
	CALL(SYS_SYNC, sys_sync) /* (): all that is dirty, to the disks */ \
	/* For the demonstrations: what a program cannot see by itself. */ \
	CALL(SYS_INFO, inspect_info) /* (struct sys_info *) */ \
	CALL(SYS_MEMORY, inspect_memory) /* (pa, to, bytes): within a page */ \
	CALL(SYS_LAB, inspect_lab) /* (enum lab_command, arg, page): result */ \
	CALL(SYS_LIMIT, sys_limit) /* (frames that may be in use, 0: all): \
		the limit before */ \
	CALL(SYS_DROP_CACHES, sys_drop_caches) /* (): how many clean pages */ \
	CALL(SYS_RECLAIM, sys_reclaim) /* (frames): evict as reclaim would; how many left */ \
	CALL(SYS_OBJECT, sys_object) /* (struct sys_object *): see there */ \
	CALL(SYS_PROBE, sys_probe) /* (struct sys_probe *): see there */ \
	CALL(SYS_DMA, sys_dma) /* (struct sys_dma *) */ \
	CALL(SYS_REPORT, sys_report) /* (): free frames, to the host */
/* clang-format on */

#define SYSTEM_CALL_NUMBER(number, function) number,
enum sys_number { SYSTEM_CALLS(SYSTEM_CALL_NUMBER) SYS_CALLS };

enum open_flags {
	OPEN_READ = 1,
	OPEN_WRITE = 2,
	OPEN_CREATE = 4, /* if it is not there */
	OPEN_TRUNCATE = 8, /* to nothing */
	OPEN_MKDIR = 16 /* make it a directory, if it is not there */
};

enum seek_from { SEEK_START, SEEK_END };
enum { SIGNAL_KILL = 9, SIGNAL_SEGV = 11 };

/* A wait's status: of exit, 0..255; of a signal, STATUS_KILLED + its number. */
#define STATUS_KILLED 256

enum { PROT_NONE, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_ALL = 7 };

enum {
	MAP_FIXED = 1, /* here or not at all */
	MAP_POPULATE = 2, /* give the frames now */
	MAP_SHARED = 8, /* else private */
	MAP_FILE = 16 /* of fd, from offset; else anonymous */
};

enum {
	MADVISE_DONTNEED = 1,
	MADVISE_PAGEOUT, /* evict these now, as reclaim would */
	MADVISE_COLD, /* forget that these were accessed, or written */
	MADVISE_LOCK, /* mlock: give these now, and never evict them */
	MADVISE_UNLOCK,
	MADVISE_SYNC /* msync: store what is dirty of a file */
};

#define NAME_BYTES 256 /* of a name in a directory, with its NUL */

/* How the gate enters the kernel. */
enum gate_method { GATE_SYSCALL, GATE_TRAP };

struct sys_info {
	uint32_t gate; /* enum gate_method */
	uint32_t cpus;
	uint64_t tsc_hz; /* 0: unknown */
	uint64_t lapic, lapic_version; /* address of its registers */
	uint64_t lab, lab_id; /* the same; 0 without the device */
	uint64_t no_execute; /* 1: the processor has NX, and it is on */
	uint64_t tagged; /* 1: it has PCIDs, and they are on */
	uint64_t smep, smap; /* 1: it has that, and it is on */
	uint64_t zeroed; /* 1: never-written RAM reads as zeros */
	/* Where these lie, for SYS_MEMORY: struct sys_counts, struct frame of
	 * all frames, struct zone and struct cache of all there are. */
	uint64_t counts, frames, zones, caches;
	uint64_t reserved; /* and the ranges that are never handed out, */
	uint64_t processes; /* and where the list of processes begins */
};

enum frame_use {
	FRAME_NONE, /* no RAM there */
	FRAME_RESERVED, /* the first MiB, the kernel, the loader's data */
	FRAME_UNUSED, /* never handed out */
	FRAME_FREE, /* given back */
	FRAME_TABLE,
	FRAME_ANON, /* a page of a program, of no file */
	FRAME_FILE, /* a page of a file or of shared memory */
	FRAME_SLAB, /* small objects of the kernel */
	FRAME_KERNEL, /* larger ones: stacks, vmalloc, buffers */
	FRAME_DMA, /* a device reads or writes it */
	FRAME_BALLOON, /* the hypervisor has it */
	FRAME_USES
};

enum frame_flags {
	FRAME_TOUCHED = 1 << 0, /* handed out before: not zeros any more */
	FRAME_HEAD = 1 << 1, /* first of a free block */
	FRAME_BUSY = 1 << 2, /* being read or written by a device */
	FRAME_DIRTY = 1 << 3, /* newer than what its file or slot holds */
	FRAME_UPTODATE = 1 << 4, /* has been read in */
	FRAME_ACTIVE = 1 << 5, /* on the active list, else the inactive */
	FRAME_LISTED = 1 << 6, /* on one of them */
	FRAME_LOCKED = 1 << 7, /* mlock: never evicted */
	FRAME_POISONED = 1 << 8 /* free, with "debug": see mm/frame.h */
};

/*
 * A frame's descriptor, as the kernel has it. Of a block of frames only the
 * first one's says anything.
 */
struct frame {
	uint32_t next, prev; /* the list it is on: frame numbers, 0 ends it */
	uint32_t count; /* who hold it */
	uint32_t maps; /* table entries that map it */
	void *owner; /* FRAME_FILE: its mapping; FRAME_SLAB: its cache */
	union {
		uint64_t index; /* page number within owner; anon: va >> 12 */
		struct {
			uint16_t free, carved, used; /* mm/slab.c */
		} slab;
	};
	uint32_t slot; /* of swap that holds the same bytes; 0: none */
	uint8_t use; /* enum frame_use */
	uint8_t order; /* of the block that it is the first of */
	uint16_t flags; /* enum frame_flags */
};

/* Frames by their next and prev. Zeros: an empty one. */
struct frame_list {
	uint32_t first, last; /* frame numbers, 0: none */
	uint64_t count;
};

enum lru_kind { LRU_FILE, LRU_ANON, LRU_KINDS };

/* Page faults by kind, frames in use, and what replacement and the disks did. */
struct sys_counts {
	union {
		uint64_t fault[8]; /* by enum lab_fault_kind; [0]: all */
		struct {
			uint64_t faults, demand_zero, demand_file, cow, stack,
				never, refused, swapped_in;
		};
	};
	uint64_t zero_shared; /* of demand_zero: the zero frame was mapped */
	union {
		uint64_t frames[FRAME_USES]; /* in use, by enum frame_use */
		struct {
			uint64_t no_use[FRAME_TABLE], frames_tables,
				frames_anon, frames_file;
		};
	};
	struct frame_list lru[LRU_KINDS][2]; /* inactive, active */
	uint64_t frames_locked; /* unevictable */
	uint64_t cow_copied, cow_reused; /* frames copied; sole owner kept it */
	uint64_t evicted_anon, evicted_file, written_back, unmapped_ptes;
	uint64_t slots_total, slots_used; /* of swap */
	uint64_t swap_reads, swap_writes;
	uint64_t disk_reads, disk_writes; /* blocks of 4 KiB, all disks */
	uint64_t cache_hits, cache_misses; /* pages of files and of metadata */
	uint64_t shootdowns; /* inter-processor ones */
	uint64_t switches; /* from one process to another */
	uint64_t oom_kills;
	uint64_t balloon_frames, balloon_taken_back, balloon_reported;
};

enum vma_kind { VMA_ANON, VMA_FILE, VMA_SHARED, VMA_STACK, VMA_GATE };

enum process_state { RUNNABLE, RUNNING, SLEEPING, ZOMBIE };

enum zone_id { ZONE_DMA, ZONE_NORMAL, ZONES };

#define ZONE_ORDERS 11 /* buddy blocks of 1 to 1024 frames */

struct zone {
	char name[16];
	uint64_t start, end; /* physical addresses */
	uint64_t next; /* from here on nothing was ever used */
	uint64_t managed, never_used; /* frames */
	struct frame_list free[ZONE_ORDERS]; /* blocks, by order */
};

#define CACHES 7

/* Of small objects. */
struct cache {
	char name[24];
	uint64_t object_bytes; /* a mark of 8 bytes behind each */
	uint64_t objects_used, frames;
	struct frame_list partial; /* of them, those with room */
};

/*
 * Kernel memory held for a demonstration, so that a program can exercise the
 * kernel's own allocators. It is the calling process's, and freed with it.
 * OBJECT_ABUSE does on purpose what the checks must catch, to a small object of
 * kmalloc's, and says whether they did. It works without the option "debug",
 * too; what it does is undone.
 */
enum object_command {
	OBJECT_ALLOC, /* kind, bytes: address */
	OBJECT_FREE, /* address */
	OBJECT_ABUSE /* bytes, abuse: caught */
};

/* Pages of these are 2^n frames in a row; of DMA below 16 MiB; from anywhere. */
enum object_kind { OBJECT_KMALLOC, OBJECT_DMA, OBJECT_VMALLOC };
enum object_abuse { ABUSE_DOUBLE_FREE, ABUSE_OVERFLOW, ABUSE_USE_AFTER_FREE };

struct sys_object {
	uint32_t command, kind;
	uint32_t abuse;
	uint32_t caught; /* by the debug checks */
	uint64_t bytes, address; /* kernel-virtual */
};

/* Steps with two sets of tables in ring 0, which map a page at one address. */
enum probe_what {
	PROBE_MAP = 1, /* tables: the page is 0 or 1, with these bits of U, PWT,
		PCD and G; with U it may be executed, too */
	PROBE_LOAD, /* tables: use them; keep what is cached, if it is tagged */
	PROBE_FLUSH, /* what is cached of the page */
	PROBE_READ, /* page: which it is, or PROBE_REFUSED by the processor */
	PROBE_GIANT, /* page: read it by a leaf of 1 GiB; or PROBE_REFUSED */
	PROBE_RUN /* the same, by jumping to the code on it */
};

#define PROBE_REFUSED UINT32_MAX

struct probe_step {
	uint8_t what; /* enum probe_what */
	uint8_t tables; /* 0, at the start in use, or 1; both map page 0 */
	uint16_t keep, bits;
	uint32_t page;
};

#define PROBE_STEPS 20

/* What only ring 0 can see and try. */
struct sys_probe {
	uint64_t cs, tr, tss, rsp0, fs_base, pat; /* tss: where it lies */
	uint32_t written; /* a constant of the kernel's, with CR0.WP off: 1 */
	uint32_t refused; /* the same with CR0.WP on: 1 */
	struct probe_step step[PROBE_STEPS];
};

/*
 * A transfer of the DMA engine between buffers of the calling process, of at
 * most 60 KiB. DMA_FILL takes the eight bytes from `from` itself.
 */
struct sys_dma {
	uint64_t from, to, bytes; /* addresses of the program */
	uint32_t operation; /* as in guest/abi.h */
	uint32_t status;
	uint64_t result; /* the checksum */
	/* Bytes of the target's region that the IOMMU lets the engine reach; 0:
	 * the IOMMU is left out. */
	uint64_t iova_window;
	uint64_t fault_iova; /* what the IOMMU refused, or 0 */
};
