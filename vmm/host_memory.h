/* SPDX-License-Identifier: MIT */
/*
 * How much memory the host has left for us: of the whole machine, and of each
 * memory control group that this process is in, the one that has the least.
 *
 * Sources: proc(5), MemAvailable; the kernel's cgroup-v2.rst ("memory.max",
 * "memory.current") and cgroup-v1/memory.rst. Of what a group uses, its
 * inactive file pages count as left: reclaim takes them first.
 */
#ifndef VMM_HOST_MEMORY_H
#define VMM_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct host_memory {
	uint64_t total, left; /* bytes */
};

/* Read it beneath @root: "" for the host's own /proc and /sys. Any thread.
 * False: there is no /proc/meminfo of the known form. */
bool host_memory_read(const char *root, struct host_memory *m);

#endif
