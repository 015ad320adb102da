/* SPDX-License-Identifier: MIT */
/*
 * The demonstrations, in the order in which the tour shows them: the function,
 * the name, and what is to be seen. The kernel reads this too, to start the
 * tour by such a name.
 */
#pragma once

/* clang-format off */
#define DEMONSTRATIONS(X) \
	X(paging, "paging", "four levels of tables, entry by entry") \
	X(sparse, "sparse", "one page at the top costs three tables") \
	X(pte_bits, "pte-bits", "what each bit of an entry does") \
	X(outcomes, "outcomes", "found, not there, not allowed, killed") \
	X(rights, "rights", "one page, read-only here, writable there") \
	X(segments, "segments", "selectors, TSS, thread-local storage") \
	X(tlb, "tlb", "a stale translation, and how it goes away") \
	X(asid, "asid", "a frame is taken from another address space") \
	X(frames, "frames", "descriptors, zones, what is never given out") \
	X(buddy, "buddy", "blocks split and merge") \
	X(kmalloc, "kmalloc", "slabs; double free and overflow caught") \
	X(vmalloc, "vmalloc", "scattered frames in one run, and a guard") \
	X(rmap, "rmap", "from a frame to all entries that map it") \
	X(vma, "vma", "areas split and merge") \
	X(demand, "demand", "promised first, given at first touch") \
	X(zero, "zero", "one frame of zeros for all that only read") \
	X(cow, "cow", "fork copies what is written, no more") \
	X(stack, "stack", "grows on touch, down to its guard") \
	X(exec, "exec", "a program is mapped; two share its text") \
	X(shared, "shared", "memory of two processes at once") \
	X(protect, "protect", "every protection, every access") \
	X(mlock, "mlock", "locked pages stay under pressure") \
	X(user_copy, "user-copy", "the kernel survives bad pointers") \
	X(switch, "switch", "processes take turns, equal addresses apart") \
	X(page_cache, "page-cache", "the second read touches no disk") \
	X(buffer_cache, "buffer-cache", "metadata waits for sync") \
	X(mmap_file, "mmap-file", "a file as memory, private and shared") \
	X(mmap_read, "mmap-read", "the same bytes by read and by mmap") \
	X(mmio, "mmio", "device registers are no memory") \
	X(dma, "dma", "a device moves memory, the CPU is free") \
	X(iommu, "iommu", "a device is held to its window") \
	X(lru, "lru", "what is used stays, what is not leaves") \
	X(swap, "swap", "more memory than there is") \
	X(two_stage, "two-stage", "one access through both tables") \
	X(stage2_faults, "stage2-faults", "each kind, provoked and counted") \
	X(overcommit, "overcommit", "four times the cap, nothing lost") \
	X(double_paging, "double-paging", "two swaps at once, and the cure") \
	X(balloon, "balloon", "memory given to the host, and back") \
	X(pressure, "pressure", "the guest works while it is squeezed")
/* clang-format on */
