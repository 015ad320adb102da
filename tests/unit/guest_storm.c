/* SPDX-License-Identifier: MIT */
/*
 * Random maps, protections, forks, writes, evictions and ends, against a model
 * that knows of each page of each process only what a program can see of it.
 */
#include "tests/unit/guest_storm_model.h"

static uint64_t serial; /* of values: no two are the same */

/* What is done, to whom: @p, pages [from, to). */
struct deed {
	struct actor *p;
	unsigned from, to;
	uintptr_t at;
	size_t bytes;
};

static bool all_mapped(const struct deed *d)
{
	for (unsigned i = d->from; i < d->to; i++)
		if (!d->p->page[i].mapped)
			return false;
	return true;
}

static void do_map(const struct deed *d)
{
	unsigned prot = random_below(8);
	unsigned flags = random_below(8) ? 0 : MAP_POPULATE;
	int64_t got = map_anon(d->p->space, d->at, d->bytes, prot, flags);

	for (unsigned i = d->from; i < d->to; i++) {
		if (d->p->page[i].mapped) {
			assert_int_equal(got, -EEXIST);
			return;
		}
	}
	assert_int_equal(got, d->at);
	for (unsigned i = d->from; i < d->to; i++)
		d->p->page[i] = (struct page){ .mapped = true,
					       .own = true,
					       .prot = prot };
}

static void do_map_file(const struct deed *d)
{
	unsigned first = random_below(3);
	struct vma want = {
		.start = d->at,
		.end = d->at + d->bytes,
		.prot = random_below(8),
		.flags = MAP_FIXED | (random_below(2) ? MAP_SHARED : 0),
		.kind = VMA_FILE,
		.mapping = &file,
		.shift = first,
		.file_end = FILE_ALL,
	};
	int64_t got = space_mmap(d->p->space, want);

	for (unsigned i = d->from; i < d->to; i++) {
		if (d->p->page[i].mapped) {
			assert_int_equal(got, -EEXIST);
			return;
		}
	}
	assert_int_equal(got, d->at);
	for (unsigned i = d->from; i < d->to; i++)
		d->p->page[i] = (struct page){
			.mapped = true,
			.file = true,
			.shared = want.flags & MAP_SHARED,
			.prot = want.prot,
			.index = first + i - d->from,
		};
}

/* What was written to the shared pages is stored. */
static void do_msync(const struct deed *d)
{
	int got = space_madvise(d->p->space, d->at, d->bytes, MADVISE_SYNC);

	assert_int_equal(got, all_mapped(d) ? 0 : -ENOMEM);
	for (unsigned i = d->from; !got && i < d->to; i++)
		if (d->p->page[i].shared)
			assert_int_equal(stored[d->p->page[i].index],
					 content[d->p->page[i].index]);
}

static void do_unmap(const struct deed *d)
{
	assert_int_equal(space_munmap(d->p->space, d->at, d->bytes), 0);
	for (unsigned i = d->from; i < d->to; i++)
		d->p->page[i] = (struct page){ 0 };
}

static void do_protect(const struct deed *d)
{
	unsigned prot = random_below(8);
	int got = space_mprotect(d->p->space, d->at, d->bytes, prot);

	assert_int_equal(got, all_mapped(d) ? 0 : -ENOMEM);
	for (unsigned i = d->from; !got && i < d->to; i++)
		d->p->page[i].prot = prot;
}

static void do_lock(const struct deed *d)
{
	bool lock = random_below(2);
	int got = space_madvise(d->p->space, d->at, d->bytes,
				lock ? MADVISE_LOCK : MADVISE_UNLOCK);

	assert_int_equal(got, all_mapped(d) ? 0 : -ENOMEM);
	for (unsigned i = d->from; !got && i < d->to; i++) {
		struct page *page = &d->p->page[i];

		page->locked = lock;
		if (lock && page->prot & PROT_WRITE && !page->own)
			set_value(page, value_of(page));
	}
}

/* Up to the first locked page it is done. */
static void do_drop(const struct deed *d)
{
	int got = space_madvise(d->p->space, d->at, d->bytes, MADVISE_DONTNEED);

	if (!all_mapped(d)) {
		assert_int_equal(got, -ENOMEM);
		return;
	}
	for (unsigned i = d->from; i < d->to; i++) {
		if (d->p->page[i].locked) {
			assert_int_equal(got, -EINVAL);
			return;
		}
		d->p->page[i].value = 0;
		d->p->page[i].own = !d->p->page[i].file;
	}
	assert_int_equal(got, 0);
}

static void do_write(const struct deed *d)
{
	struct page *page = &d->p->page[d->from];
	uint64_t *word = access_word(d->p->space, d->at + WORD, FAULT_W);

	assert_int_equal(word != NULL, page->mapped && page->prot & PROT_WRITE);
	if (word)
		set_value(page, *word = ++serial);
}

static void do_read(const struct deed *d)
{
	struct page *page = &d->p->page[d->from];
	uint64_t *word = access_word(d->p->space, d->at + WORD, 0);

	assert_int_equal(word != NULL, page->mapped && page->prot);
	if (word)
		assert_int_equal(*word, value_of(page));
}

static void do_execute(const struct deed *d)
{
	struct page *page = &d->p->page[d->from];
	uint64_t *word = access_word(d->p->space, d->at, FAULT_I);

	assert_int_equal(word != NULL, page->mapped && page->prot & PROT_EXEC);
}

static void do_kernel_write(const struct deed *d)
{
	struct page *page = &d->p->page[d->from];
	uint64_t value = ++serial;
	int got = user_write(d->p->space, d->at + WORD, &value, 8);

	if (page->mapped && page->prot & PROT_WRITE) {
		assert_int_equal(got, 0);
		set_value(page, value);
	} else {
		assert_int_equal(got, -EFAULT);
	}
}

static void do_fork(const struct deed *d)
{
	struct actor *to = &actors[random_below(SPACES)];

	if (to->space)
		return;
	*to = *d->p;
	to->space = space_fork(d->p->space);
	assert_non_null(to->space);
	for (unsigned i = 0; i < PAGES; i++)
		to->page[i].locked = false;
}

static void do_exit(const struct deed *d)
{
	for (struct actor *p = actors; p < actors + SPACES; p++) {
		if (!p->space || p == d->p)
			continue;
		tlb_flush_space(d->p->space);
		space_free(d->p->space);
		d->p->space = NULL;
		return;
	}
}

static void census_of(struct frame *f)
{
	census.f = f;
	census.leaves = census.locked = 0;
	for (struct actor *p = actors; p < actors + SPACES; p++)
		if (p->space)
			each_leaf(p->space, count_leaf);
}

static struct frame *frame_here(const struct deed *d)
{
	struct slot slot = table_walk(d->p->space->root, d->at);

	return slot.level == 1 ? leaf_frame(*slot.at) : NULL;
}

static void do_evict(const struct deed *d)
{
	struct frame *f = frame_here(d);

	if (!f || f->flags & FRAME_LOCKED || f->use != FRAME_ANON)
		return;
	census_of(f);
	assert_int_equal(evict(f), census.leaves);
}

/* A page of the file leaves all tables and the cache. */
static void do_forget(const struct deed *d)
{
	uint64_t index = random_below(FILE_PAGES);
	struct frame *f = (struct frame *)radix_get(&file.pages, index);

	(void)d;
	if (!f)
		return;
	frame_get(f);
	census_of(f);
	if (!census.locked) {
		assert_int_equal(mapping_sync(&file, index, index + 1), 0);
		assert_int_equal(stored[index], content[index]);
		rmap_unmap(f);
		assert_int_equal(f->maps, 0);
	}
	frame_put(f);
	assert_int_equal(mapping_evict(f),
			 !census.locked && !(f->flags & FRAME_DIRTY));
}

/* The way back finds every leaf that there is. */
static void check_frame(struct vma *v, uint64_t *at)
{
	struct frame *f = leaf_frame(*at);

	(void)v;
	if (!f || random_below(8))
		return;
	census_of(f);
	assert_int_equal(f->maps, census.leaves);
	assert_int_equal(f->count, census.leaves + (f->use == FRAME_FILE));
	assert_int_equal(!!(f->flags & FRAME_LOCKED), census.locked > 0);
	*at |= PTE_A;
	assert_true(rmap_take(f, PTE_A));
	assert_false(*at & PTE_A);
	assert_false(rmap_take(f, PTE_A));
}

static void check(void)
{
	for (struct actor *p = actors; p < actors + SPACES; p++) {
		if (!p->space)
			continue;
		check_counts(p->space);
		each_leaf(p->space, check_frame);
	}
}

static uint64_t locked_frames(void)
{
	uint64_t n = 0;

	for (uint64_t i = 1; i < GUEST_RAM / PAGE_SIZE; i++)
		n += frames[i].count && frames[i].flags & FRAME_LOCKED;
	return n;
}

static uint64_t used(void)
{
	uint64_t n = 0;

	for (uint64_t i = 1; i < GUEST_RAM / PAGE_SIZE; i++)
		n += frames[i].count && (frames[i].use == FRAME_ANON ||
					 frames[i].use == FRAME_TABLE ||
					 frames[i].use == FRAME_FILE);
	return n;
}

typedef void deed_fn(const struct deed *d);

static deed_fn *const deeds[] = {
	do_map,	  do_map,    do_unmap,	      do_protect, do_protect,
	do_lock,  do_drop,   do_write,	      do_write,	  do_write,
	do_write, do_read,   do_read,	      do_read,	  do_fork,
	do_evict, do_evict,  do_evict,	      do_execute, do_map_file,
	do_msync, do_forget, do_kernel_write,
};
#define DEEDS (sizeof(deeds) / sizeof(deeds[0]))

static void step(unsigned i)
{
	struct deed d = { .p = &actors[random_below(SPACES)] };
	unsigned most;

	if (!d.p->space)
		return;
	d.from = random_below(PAGES);
	most = PAGES - d.from < 10 ? PAGES - d.from : 10;
	d.to = d.from + 1 + random_below(most);
	d.at = BASE + d.from * PAGE_SIZE;
	d.bytes = (d.to - d.from) * PAGE_SIZE;
	if (i % 97 == 0)
		do_exit(&d);
	else
		deeds[random_below(DEEDS)](&d);
}

static void test_storm(void **state)
{
	uint64_t promised = promisable(), was = used();

	(void)state;
	actors[0].space = space_new();
	for (unsigned i = 1; i <= 300000; i++) {
		step(i);
		if (i % 64 == 0)
			check();
	}
	assert_int_equal(counts.frames_locked, locked_frames());
	for (struct actor *p = actors; p < actors + SPACES; p++)
		if (p->space)
			space_free(p->space);
	mapping_discard(&file, 0, UINT64_MAX);
	assert_int_equal(file.frames, 0);
	assert_int_equal(file.unsaved, 0);
	assert_int_equal(used(), was);
	assert_int_equal(slots_used(), 0);
	assert_int_equal(counts.frames_locked, 0);
	assert_in_range(promised - promisable(), 0, 8); /* slabs */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
	};

	spaces_begin();
	mapping_init(&file, &file_ops);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
