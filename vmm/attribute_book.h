/* SPDX-License-Identifier: MIT */
/* Who has which page of RAM: a claim for each. For attribute.c only. */
#ifndef VMM_ATTRIBUTE_BOOK_H
#define VMM_ATTRIBUTE_BOOK_H

#include "vmm/attribute.h"

/* Who has a page: nobody, a process by its number from 1, or: */
enum {
	OWNER_NOBODY,
	OWNER_KERNEL = 0xfffd,
	OWNER_TABLES, /* it is a table of a process */
	OWNER_SHARED /* several processes */
};

static_assert(ROOTS_MAX < OWNER_KERNEL, "a process's number is no other's");

struct claim {
	uint16_t owner;
	uint16_t last; /* the process that mapped it last */
	uint8_t state;
};

struct book {
	const struct attribute_memory *m;
	uint64_t pages; /* of RAM */
	struct claim *claim; /* of each */
	uint64_t work; /* that may still be done */
	struct attribute_process *process; /* at work, and: */
	uint16_t number; /* from 1; or OWNER_KERNEL */
	struct attribute_process kernel; /* as if it were one */
};

/* With the states of all pages as they are now. 0 or -ENOMEM. */
int book_open(struct book *b, const struct attribute_memory *m);
void book_close(struct book *b);

/* Claim what @p, the next process, has: p->root is set, p->shared gets all of
 * it. */
void book_process(struct book *b, struct attribute_process *p);
/* Then, for the kernel, what the root at @cr3 leads to and no process has.
 * False: not all could be seen. */
bool book_kernel(struct book *b, uint64_t cr3);

#endif
