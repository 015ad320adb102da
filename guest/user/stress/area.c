/* SPDX-License-Identifier: MIT */
/* Memory: mapped, written, verified, protected, paged out, unmapped in parts. */
#include "guest/user/lib/sys.h"
#include "guest/user/stress/worker.h"

#define RW    (PROT_READ | PROT_WRITE)
#define WORDS (PAGE / 8)

static volatile uint64_t *page_of(const struct area *a, unsigned page)
{
	return (volatile uint64_t *)(a->at + page * PAGE);
}

static uint64_t stamp(const struct worker *w, const struct area *a,
		      unsigned page)
{
	return worker_stamp(w, (uint64_t)(a - w->area), page, a->version[page]);
}

static void write_page(struct worker *w, struct area *a, unsigned page)
{
	uint64_t word;

	a->version[page]++;
	if (!a->version[page])
		a->version[page]++;
	word = stamp(w, a, page);
	for (unsigned i = 0; i < WORDS; i += 8)
		page_of(a, page)[i] = word + i;
}

static void verify_page(const struct worker *w, const struct area *a,
			unsigned page)
{
	uint64_t want = a->version[page] ? stamp(w, a, page) : 0;

	for (unsigned i = 0; i < WORDS; i += 8) {
		uint64_t word = want ? want + i : 0;
		uint64_t got = page_of(a, page)[i];

		if (got != word)
			worker_fail(w, "memory", a->at + page * PAGE + i * 8,
				    got, word);
	}
}

/* A page unmapped in the middle is mapped anew at once: zeros again. */
static void punch(struct worker *w, struct area *a, unsigned page)
{
	uint64_t at = a->at + page * PAGE;

	if (a->shared)
		return;
	worker_check(w, "munmap", sys_munmap(at, PAGE));
	worker_check(w, "mmap", sys_mmap(at, PAGE, RW, MAP_FIXED));
	a->version[page] = 0;
}

static void protect(struct worker *w, struct area *a, unsigned page)
{
	uint64_t at = a->at + page * PAGE;

	worker_check(w, "mprotect", sys_mprotect(at, PAGE, PROT_READ));
	verify_page(w, a, page);
	worker_check(w, "mprotect", sys_mprotect(at, PAGE, RW));
}

/* Most of its pages are written at once: so memory is short from the start. */
static void map(struct worker *w, struct area *a)
{
	bool shared = worker_chance(w) % 4 == 0;
	int64_t at =
		sys_mmap(0, AREA_PAGES * PAGE, RW, shared ? MAP_SHARED : 0);

	worker_check(w, "mmap", at);
	*a = (struct area){ .at = (uint64_t)at, .shared = shared };
	for (unsigned page = 0; page < AREA_PAGES; page++)
		if (worker_chance(w) % 8)
			write_page(w, a, page);
}

static void unmap(struct worker *w, struct area *a)
{
	worker_check(w, "munmap", sys_munmap(a->at, AREA_PAGES * PAGE));
	a->at = 0;
}

void area_step(struct worker *w)
{
	struct area *a = &w->area[worker_chance(w) % AREAS];
	unsigned page = (unsigned)(worker_chance(w) % AREA_PAGES);

	if (!a->at)
		map(w, a);
	switch (worker_chance(w) % 16) {
	case 0:
		if (worker_chance(w) % 8 == 0)
			unmap(w, a);
		return;
	case 1:
		punch(w, a, page);
		return;
	case 2:
		protect(w, a, page);
		return;
	case 3:
		sys_madvise(a->at, AREA_PAGES * PAGE, MADVISE_PAGEOUT);
		return;
	case 4:
	case 5:
	case 6:
		verify_page(w, a, page);
		return;
	default:
		write_page(w, a, page);
	}
}

void area_start(struct worker *w)
{
	for (unsigned i = 0; i < AREAS; i++)
		map(w, &w->area[i]);
}

void area_verify(const struct worker *w, unsigned i)
{
	for (unsigned page = 0; w->area[i].at && page < AREA_PAGES; page++)
		verify_page(w, &w->area[i], page);
}

void area_write_some(struct worker *w, unsigned i)
{
	struct area *a = &w->area[i];

	for (unsigned n = 0; a->at && !a->shared && n < AREA_PAGES / 8; n++)
		write_page(w, a, (unsigned)(worker_chance(w) % AREA_PAGES));
}
