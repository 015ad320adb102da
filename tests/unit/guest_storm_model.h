/* SPDX-License-Identifier: MIT */
/* Processes and a file, as far as a program can see them: the model that a
 * storm's deeds are held to. */
#ifndef TESTS_GUEST_STORM_MODEL_H
#define TESTS_GUEST_STORM_MODEL_H

#include "guest/mm/space.h"
#include "tests/unit/guest_space_fixture.h"

#define PAGES	   96u
#define SPACES	   6u
#define BASE	   (MMAP_BASE + 3 * LARGE_SIZE - 48 * PAGE_SIZE) /* two tables */
#define WORD	   2048u /* in the page */

#define FILE_PAGES 12u

/* A file: its cache, what is stored of it, and what a reader must see. */
static struct mapping file;
static uint64_t stored[FILE_PAGES], content[FILE_PAGES];

static inline int file_transfer(struct mapping *m, struct frame *f, bool write)
{
	char *page = frame_bytes(f);

	(void)m;
	if (write) {
		stored[f->index] = *(uint64_t *)(page + WORD);
		return 0;
	}
	memset(page, 0, PAGE_SIZE);
	*(uint64_t *)(page + WORD) = stored[f->index];
	return 0;
}

static const struct mapping_ops file_ops = { .transfer = file_transfer };

/* A page of a process, as its program sees it. */
struct page {
	bool mapped, locked;
	bool file, shared;
	bool own; /* has a value of its own: anonymous, or copied */
	unsigned prot, index;
	uint64_t value;
};

static inline uint64_t value_of(const struct page *page)
{
	return page->own ? page->value : content[page->index];
}

static inline void set_value(struct page *page, uint64_t value)
{
	if (page->shared) {
		content[page->index] = value;
		return;
	}
	page->own = true;
	page->value = value;
}

static struct actor {
	struct space *space;
	struct page page[PAGES];
} actors[SPACES];

#endif
