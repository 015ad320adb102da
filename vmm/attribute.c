/* SPDX-License-Identifier: MIT */
/* The accounts: every page of RAM is in one of them. */
#include "vmm/attribute.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/attribute_book.h"

const char *const owned_name[OWNED_STATES] = {
	[OWNED_RESIDENT] = "resident", [OWNED_SWAPPED] = "swapped",
	[OWNED_SAME] = "same_filled",  [OWNED_ZERO] = "zero",
	[OWNED_FILE] = "file",	       [OWNED_LOST] = "lost",
};

static uint64_t sum(const struct owned_pages *p)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < OWNED_STATES; i++)
		n += p->n[i];
	return n;
}

static uint64_t size_of(const struct attribute_process *p)
{
	return sum(&p->own) + sum(&p->shared);
}

static void claim_all(struct book *b, const struct roots *r,
		      struct attribute_process *all)
{
	for (unsigned i = 0; i < r->n; i++) {
		all[i].root = r->root[i];
		book_process(b, &all[i]);
	}
}

static struct owned_pages *account_of(struct attribution *a,
				      struct attribute_process *all,
				      uint16_t owner)
{
	switch (owner) {
	case OWNER_NOBODY:
		return &a->unreachable;
	case OWNER_KERNEL:
		return &a->kernel;
	case OWNER_TABLES:
		return &a->tables;
	case OWNER_SHARED:
		return &a->shared;
	default:
		return &all[owner - 1].own;
	}
}

/* Each page goes to its owner's account; what a process has beside its own is
 * shared. */
static void settle(const struct book *b, struct attribution *a,
		   struct attribute_process *all, unsigned n)
{
	for (uint64_t i = 0; i < b->pages; i++)
		account_of(a, all, b->claim[i].owner)->n[b->claim[i].state]++;
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < OWNED_STATES; k++)
			all[i].shared.n[k] -= all[i].own.n[k];
}

/* The most memory first; then in a fixed order. */
static int by_size(const void *a, const void *b)
{
	const struct attribute_process *p = a, *q = b;

	if (size_of(p) != size_of(q))
		return size_of(p) < size_of(q) ? 1 : -1;
	return p->root.cr3 < q->root.cr3 ? -1 : p->root.cr3 > q->root.cr3;
}

/* A root without memory is a kernel thread's, or nobody's. */
static void report(struct attribution *a, struct attribute_process *all,
		   unsigned n)
{
	qsort(all, n, sizeof(*all), by_size);
	while (n && !size_of(&all[n - 1]))
		n--;
	for (unsigned i = 0; i < n; i++) {
		if (i < ATTRIBUTE_PROCESSES) {
			a->process[a->n++] = all[i];
			continue;
		}
		a->others++;
		for (unsigned k = 0; k < OWNED_STATES; k++)
			a->others_own.n[k] += all[i].own.n[k];
	}
}

int attribute(const struct attribute_memory *m, const struct roots *r,
	      struct attribution *a)
{
	struct attribute_process *all = calloc(ROOTS_MAX, sizeof(*all));
	struct book b;

	*a = (struct attribution){ .unseen = r->unseen };
	if (!all || book_open(&b, m)) {
		free(all);
		return -ENOMEM;
	}
	claim_all(&b, r, all);
	a->whole =
		r->n && book_kernel(&b, r->root[r->kernel].cr3) && !r->left_out;
	settle(&b, a, all, r->n);
	report(a, all, r->n);
	book_close(&b);
	free(all);
	return 0;
}
