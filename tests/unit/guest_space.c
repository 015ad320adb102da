/* SPDX-License-Identifier: MIT */
/* What spaces cost, exactly: faults, frames and copies of known programs. */
#include "guest/mm/space.h"
#include "tests/unit/guest_space_fixture.h"

#define N 50u
#define M 20u

static uint64_t frames_of(enum frame_use use)
{
	uint64_t n = 0;

	for (uint64_t i = 1; i < GUEST_RAM / PAGE_SIZE; i++)
		n += frames[i].use == use && frames[i].count;
	return n;
}

/* @pages anonymous pages with @write of them written: page i holds i + 1. */
static uintptr_t filled(struct space *s, unsigned pages, unsigned write)
{
	int64_t at =
		map_anon(s, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, 0);

	assert_true(at > 0);
	for (unsigned i = 0; i < write; i++)
		*access_word(s, (uintptr_t)at + i * PAGE_SIZE, FAULT_W) = i + 1;
	return (uintptr_t)at;
}

static uint64_t read_page(struct space *s, uintptr_t at, unsigned page)
{
	uint64_t *word = access_word(s, at + page * PAGE_SIZE, 0);

	assert_non_null(word);
	return *word;
}

static void write_pages(struct space *s, uintptr_t at, unsigned from,
			unsigned to, uint64_t value)
{
	for (unsigned i = from; i < to; i++)
		*access_word(s, at + i * PAGE_SIZE, FAULT_W) = value;
}

static void test_demand(void **state)
{
	struct space *s = space_new();
	uint64_t before = frames_of(FRAME_ANON), zeros = counts.zero_shared;
	uintptr_t at = filled(s, 200, 0);

	(void)state;
	assert_int_equal(frames_of(FRAME_ANON), before);
	faults = 0;
	write_pages(s, at, 0, N, 1);
	assert_int_equal(faults, N);
	assert_int_equal(frames_of(FRAME_ANON) - before, N);
	assert_int_equal(counts.zero_shared, zeros);

	faults = 0;
	for (unsigned i = N; i < 2 * N; i++)
		assert_int_equal(read_page(s, at, i), 0);
	assert_int_equal(faults, N);
	assert_int_equal(counts.zero_shared - zeros, N);
	assert_int_equal(frames_of(FRAME_ANON) - before, N);
	assert_int_equal(s->resident, N);

	write_pages(s, at, N, 2 * N, 1);
	assert_int_equal(faults, 2 * N);
	assert_int_equal(frames_of(FRAME_ANON) - before, 2 * N);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((char *)direct(zero_frame))[i], 0);
	space_free(s);
	assert_int_equal(frames_of(FRAME_ANON), before);
}

static void test_cow(void **state)
{
	struct space *parent = space_new(), *child;
	uintptr_t at = filled(parent, N, N);
	uint64_t copied = counts.cow_copied, reused = counts.cow_reused;
	uint64_t before = frames_of(FRAME_ANON);

	(void)state;
	child = space_fork(parent);
	assert_non_null(child);
	assert_int_equal(frames_of(FRAME_ANON), before);
	assert_int_equal(child->resident, N);

	write_pages(child, at, 0, M, 1000);
	assert_int_equal(counts.cow_copied - copied, M);
	assert_int_equal(frames_of(FRAME_ANON) - before, M);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(read_page(parent, at, i), i + 1);
		assert_int_equal(read_page(child, at, i), i < M ? 1000 : i + 1);
	}

	/* What the child has copied is the parent's alone. */
	write_pages(parent, at, 0, N, 2000);
	assert_int_equal(counts.cow_reused - reused, M);
	assert_int_equal(counts.cow_copied - copied, N);
	write_pages(child, at, M, N, 3000);
	assert_int_equal(counts.cow_reused - reused, N);
	assert_int_equal(counts.cow_copied - copied, N);
	assert_int_equal(frames_of(FRAME_ANON) - before, N);
	space_free(child);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(read_page(parent, at, i), 2000);
	space_free(parent);
	assert_int_equal(frames_of(FRAME_ANON), 0);
	assert_int_equal(frames_of(FRAME_TABLE), 0);
}

/* One page of three processes: one eviction empties three leaves. */
static void test_rmap(void **state)
{
	struct space *s[3] = { space_new() };
	uintptr_t at = filled(s[0], 3, 3);
	struct frame *f;

	(void)state;
	s[1] = space_fork(s[0]);
	s[2] = space_fork(s[1]);
	f = leaf_frame(*leaf_at(s[2], at));
	assert_int_equal(f->maps, 3);
	assert_int_equal(evict(f), 3);
	assert_int_equal(slots_used(), 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(s[i]->resident, 2);
		assert_int_equal(s[i]->swapped, 1);
		assert_true(pte_is_slot(*leaf_at(s[i], at)));
	}
	assert_int_equal(read_page(s[1], at, 0), 1);
	space_free(s[1]);
	assert_int_equal(slots_used(), 1);
	*access_word(s[0], at, FAULT_W) = 77;
	assert_int_equal(read_page(s[2], at, 0), 1);
	assert_int_equal(slots_used(), 0);
	space_free(s[0]);
	space_free(s[2]);
	assert_int_equal(frames_of(FRAME_ANON), 0);
}

static void test_stack(void **state)
{
	struct space *s = space_new();
	struct vma stack = {
		.start = STACK_TOP - STACK_MAX,
		.end = STACK_TOP,
		.prot = PROT_READ | PROT_WRITE,
		.kind = VMA_STACK,
	};
	uintptr_t lowest = STACK_TOP - STACK_MAX;
	struct vma *v;

	(void)state;
	assert_int_equal(space_map(s, stack), 0);
	v = space_find(s, STACK_TOP - 8);
	assert_int_equal(v->start, STACK_TOP - PAGE_SIZE);
	faults = 0;
	*access_word(s, STACK_TOP - 5 * PAGE_SIZE, 0) = 1;
	assert_int_equal(faults, 1);
	assert_int_equal(v->start, STACK_TOP - 5 * PAGE_SIZE);
	assert_non_null(access_word(s, lowest, FAULT_W));
	assert_null(access_word(s, lowest - 8, FAULT_W));
	assert_int_equal(v->start, lowest);
	assert_int_equal(map_anon(s, lowest - PAGE_SIZE, PAGE_SIZE, 3, 0),
			 -EEXIST);
	assert_int_equal(map_anon(s, lowest - 2 * PAGE_SIZE, PAGE_SIZE, 3, 0),
			 lowest - 2 * PAGE_SIZE);
	space_free(s);
}

static void test_protect(void **state)
{
	struct space *s = space_new();
	uintptr_t at = filled(s, 1, 1);

	(void)state;
	for (unsigned prot = 0; prot < 8; prot++) {
		assert_int_equal(space_mprotect(s, at, PAGE_SIZE, prot), 0);
		assert_int_equal(!!access_word(s, at, 0), !!prot);
		assert_int_equal(!!access_word(s, at, FAULT_W),
				 !!(prot & PROT_WRITE));
		assert_int_equal(!!access_word(s, at, FAULT_I),
				 !!(prot & PROT_EXEC));
	}
	assert_int_equal(read_page(s, at, 0), 1);
	assert_int_equal(space_mprotect(s, at, PAGE_SIZE, 8), -EINVAL);
	assert_int_equal(space_mprotect(s, at + 1, PAGE_SIZE, 1), -EINVAL);
	assert_int_equal(space_mprotect(s, at, 2 * PAGE_SIZE, 1), -ENOMEM);
	space_free(s);
}

static void test_heap(void **state)
{
	struct space *s = space_new();
	unsigned areas = s->area_count;

	(void)state;
	s->heap = s->heap_end = 0x500000;
	for (unsigned i = 0; i < 10; i++) {
		uintptr_t at = (uintptr_t)space_brk(s, 5000);

		assert_int_equal(at, 0x500000 + i * 5000);
		*access_word(s, page_up(at + 5000) - 8, FAULT_W) = 1;
	}
	assert_int_equal(s->area_count, areas + 1);
	assert_int_equal(space_brk(s, -50001), -ENOMEM);
	assert_int_equal(space_brk(s, INT64_MAX), -ENOMEM);
	assert_int_equal(space_brk(s, INT64_MIN), -ENOMEM);
	assert_int_equal(space_brk(s, -45000), 0x500000 + 50000);
	assert_null(access_word(s, 0x500000 + 2 * PAGE_SIZE, 0));
	assert_int_equal(s->resident, 1);
	assert_int_equal(space_brk(s, -5000), 0x500000 + 5000);
	assert_int_equal(s->area_count, areas);
	space_free(s);
}

/* The kernel writes for a program what that might, and breaks the sharing. */
static void test_user(void **state)
{
	struct space *parent = space_new(), *child;
	uintptr_t at = filled(parent, 4, 2);
	uint64_t bytes[1024] = { [1023] = 9 };

	(void)state;
	assert_int_equal(space_mprotect(parent, at + 3 * PAGE_SIZE, PAGE_SIZE,
					PROT_READ),
			 0);
	child = space_fork(parent);
	faults = 0;
	assert_int_equal(user_write(child, at + PAGE_SIZE, bytes, 8192), 0);
	assert_int_equal(read_page(parent, at, 1), 2);
	assert_int_equal(read_page(child, at, 1), 0);
	assert_int_equal(user_read(child, bytes, at + PAGE_SIZE + 4096, 4096),
			 0);
	assert_int_equal(bytes[511], 9);
	assert_int_equal(user_write(child, at + 3 * PAGE_SIZE - 8, bytes, 16),
			 -EFAULT);
	assert_int_equal(user_read(child, bytes, at + 4 * PAGE_SIZE - 8, 16),
			 -EFAULT);
	assert_int_equal(user_read(child, bytes, 0, 1), -EFAULT);
	assert_int_equal(user_read(child, bytes, UINT64_MAX, 2), -EFAULT);
	assert_int_equal(user_write(child, DIRECT_BASE, bytes, 8), -EFAULT);
	space_free(child);
	space_free(parent);
}

/* With @left frames to be had. NULL, or a copy. */
static struct space *fork_with(struct space *parent, unsigned left)
{
	static struct frame *taken[GUEST_RAM / PAGE_SIZE];
	struct space *child;
	unsigned n = 0;

	while ((taken[n] = frame_alloc_raw(FRAME_DMA)))
		n++;
	for (unsigned i = 0; i < left; i++)
		frame_put(taken[--n]);
	child = space_fork(parent);
	while (n)
		frame_put(taken[--n]);
	return child;
}

static void test_no_memory(void **state)
{
	struct space *parent = space_new(), *child = NULL;
	uint64_t promised = promisable();
	uintptr_t at = filled(parent, N, N), far;
	uint64_t before, tables;
	unsigned failures = 0;

	(void)state;
	far = (uintptr_t)map_anon(parent, 0x600000000000, PAGE_SIZE, 3, 0);
	*access_word(parent, far, FAULT_W) = 5;
	before = frames_of(FRAME_ANON);
	tables = frames_of(FRAME_TABLE);
	while (!(child = fork_with(parent, failures))) {
		assert_int_equal(frames_of(FRAME_ANON), before);
		assert_int_equal(frames_of(FRAME_TABLE), tables);
		write_pages(parent, at, 0, N, failures++);
		assert_true(failures < 40);
	}
	assert_true(failures > 6);
	assert_int_equal(read_page(child, far, 0), 5);
	space_free(child);
	space_free(parent);
	parent = space_new();
	assert_int_equal(promisable(), promised);
	space_free(parent);
}

static void test_promise(void **state)
{
	struct space *s = space_new(), *child;
	uint64_t free = promisable();
	uintptr_t at = filled(s, 100, 0);

	(void)state;
	assert_in_range(free - promisable(), 100, 101);
	assert_int_equal(map_anon(s, 0, GUEST_RAM, 3, 0), -ENOMEM);
	child = space_fork(s);
	assert_in_range(free - promisable(), 212, 214);
	assert_int_equal(space_munmap(child, at, 50 * PAGE_SIZE), 0);
	assert_in_range(free - promisable(), 162, 164);
	space_free(child);
	assert_in_range(free - promisable(), 100, 101);
	assert_int_equal(space_munmap(s, at, 100 * PAGE_SIZE), 0);
	assert_int_equal(promisable(), free);
	space_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demand),
		cmocka_unit_test(test_cow),
		cmocka_unit_test(test_rmap),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_protect),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_promise),
	};

	spaces_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
