/* SPDX-License-Identifier: MIT */
/* rmap: from a frame to all entries that map it. */
#include "guest/user/tour/demo.h"

demo_fn demo_rmap;

#define SHARERS 2u /* beside us */

/* Map the page, wait until it has been taken away, and look at it again. */
static void use_page(struct demo *d, void *what)
{
	volatile uint64_t *word = what;
	uint64_t want = *word;

	__atomic_fetch_add(&d->step, 1, __ATOMIC_RELEASE);
	demo_await(d, SHARERS + 1);
	demo_is(d, *word, want);
}

/* Evict a page that three processes map: one frame, three entries. */
static void evict_shared(struct demo *d, volatile uint64_t *word,
			 const char *what)
{
	uint64_t want = *word, pa = demo_walk(word).pa;
	struct sys_counts before, after;
	int64_t pid[SHARERS];
	struct frame f;

	demo_step(d, 0);
	for (unsigned i = 0; i < SHARERS; i++) {
		pid[i] = demo_child(d, use_page, (void *)word);
		if (pid[i] < 0)
			return;
	}
	demo_await(d, SHARERS);
	demo_is(d, *word, want);
	kernel_frame(pa, &f);
	demo_is(d, f.maps, SHARERS + 1);
	before = demo_counts();
	demo_is(d, demo_page_out(d, word, 1), 0);
	after = demo_counts();
	for (unsigned i = 0; i < SHARERS; i++)
		demo_is(d, demo_walk_of(pid[i], word).found, 0);
	demo_is(d, after.unmapped_ptes - before.unmapped_ptes, SHARERS + 1);
	demo_is(d,
		after.evicted_anon + after.evicted_file - before.evicted_anon -
			before.evicted_file,
		1);
	demo_step(d, SHARERS + 1);
	for (unsigned i = 0; i < SHARERS; i++)
		demo_join(d, pid[i]);
	demo_is(d, *word, want);
	demo_note(d,
		  "%s%s frame %#lx, mapped by %u processes: 1 eviction, %lu "
		  "entries cleared",
		  d->seen_bytes ? "; " : "", what, pa, SHARERS + 1,
		  after.unmapped_ptes - before.unmapped_ptes);
}

void demo_rmap(struct demo *d)
{
	volatile uint64_t *anon = demo_map(d, PAGE_SIZE, 0);
	int64_t fd, file;

	if (!anon || !demo_has_swap(d))
		return;
	*anon = 0x1234567;
	evict_shared(d, anon, "anonymous");
	fd = sys_open("/bin/hello", OPEN_READ);
	if (!demo_can(d, fd, "files"))
		return;
	file = sys_mmap_file((int)fd, 0, PAGE_SIZE, PROT_READ, MAP_SHARED);
	sys_close((int)fd);
	if (!demo_true(d, file > 0))
		return;
	evict_shared(d, (volatile uint64_t *)file, "file's");
	sys_munmap((uint64_t)file, PAGE_SIZE);
	sys_munmap((uintptr_t)anon, PAGE_SIZE);
}
