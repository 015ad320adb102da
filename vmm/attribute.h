/* SPDX-License-Identifier: MIT */
/*
 * Whose memory it is: what each of a guest's processes has of guest RAM, by the
 * guest's own page tables; the guest itself is not asked.
 *
 *     CR3 ──► root of the tables: 512 entries
 *             ├── the lower 256: the process's, and only its own
 *             └── the upper 256: the kernel's, the same in every root
 *
 * A few roots are seen at work, in a vCPU's CR3. The others are found: pages of
 * RAM with the same upper half as one of these (attribute_find.c). Then each
 * root's lower half is walked, and what is left, the kernel's half; every page
 * of RAM is in one account (attribute.c). The VM runs on meanwhile: a page that
 * changes hands just then is in its old or its new account.
 *
 * Not seen: what a process has reserved and never touched, pages that its
 * kernel has swapped out itself, and those that it hides for a while (Linux's
 * PROT_NONE); they are the kernel's. A root that is found and not seen may be
 * that of a process that has ended, if its kernel did not clear the tables.
 */
#ifndef VMM_ATTRIBUTE_H
#define VMM_ATTRIBUTE_H

#include <assert.h>
#include <stddef.h>

#include "vmm/ram.h"

/* Where the bytes of a page are. */
enum owned {
	OWNED_RESIDENT,
	OWNED_SWAPPED,
	OWNED_SAME, /* swapped: it repeats one word, and takes no bytes */
	OWNED_ZERO, /* nowhere: never touched, given back, or all zeros */
	OWNED_FILE, /* in the guest's image, and not loaded yet */
	OWNED_LOST,
	OWNED_STATES
};

extern const char *const owned_name[OWNED_STATES];

/* Pages by state. */
struct owned_pages {
	uint64_t n[OWNED_STATES];
};

/* How guest memory is looked at. */
struct attribute_memory {
	const struct ram *ram;
	/* @len bytes of RAM, within a page; false: not to be had just now. */
	bool (*look)(void *ctx, gpa_t at, void *to, size_t len);
	enum owned (*state)(void *ctx, gfn_t g);
	void *ctx;
};

/* How a root came to be known. */
enum root_by { ROOT_BY_VCPU, ROOT_BY_TRACE, ROOT_BY_SEARCH, ROOTS_BY };

extern const char *const root_by_name[ROOTS_BY];

struct root {
	uint64_t cr3; /* its address, no other bits */
	uint32_t pid; /* as it was seen last; 0: unknown */
	enum root_by by;
};

#define ROOTS_MAX 1024

struct roots {
	unsigned n;
	struct root root[ROOTS_MAX];
	unsigned kernel; /* the one whose upper half says most */
	uint64_t left_out; /* there were more */
	uint64_t unseen; /* pages that were not searched for roots */
};

/* Add the root at @cr3, unless it is there: for one process Linux has two of
 * them where Meltdown must be mitigated, side by side. */
void roots_add(const struct attribute_memory *m, struct roots *r,
	       struct root root);
/* Add those that can be found by the ones that vCPUs use, which come first, and
 * say which one's upper half is the kernel's; drop what a trace saw, and is no
 * root any more. */
void roots_find(const struct attribute_memory *m, struct roots *r);

#define ATTRIBUTE_PROCESSES 96

struct attribution {
	unsigned n; /* those with the most memory, the largest first */
	struct attribute_process {
		struct root root;
		bool whole; /* all of its tables could be read */
		uint64_t tables; /* pages of them */
		/* Which no other process maps, and which others map, too. */
		struct owned_pages own, shared;
	} process[ATTRIBUTE_PROCESSES];
	uint64_t others; /* processes beyond these, and what is their own */
	struct owned_pages others_own;
	/* All else, each page once: what several processes map; processes'
	 * tables; what the kernel's half maps, often all of RAM; the rest. */
	struct owned_pages shared, tables, kernel, unreachable;
	uint64_t unseen; /* as in struct roots */
	bool whole; /* nothing was left out for being too much */
};

/* 0 or -ENOMEM. */
int attribute(const struct attribute_memory *m, const struct roots *r,
	      struct attribution *a);

/* Malloced; NULL: no memory. */
char *attribution_json(const struct attribution *a);
/* Print that JSON as lines. 0; -1: it is no such report. */
int attribution_print(const char *text);

#endif
