/* SPDX-License-Identifier: MIT */
/* The tree of areas, against an array that says for each page whose it is. */
#include "guest/mm/space.h"
#include "tests/unit/guest_space_fixture.h"

#define PAGES 600u
#define BASE  0x400000ul

static struct space space;
static struct vma *owner[PAGES];
static unsigned held, released;

static void count_hold(struct mapping *m)
{
	(void)m;
	held++;
}

static void count_release(struct mapping *m)
{
	(void)m;
	released++;
}

static const struct mapping_ops counting = { .hold = count_hold,
					     .release = count_release };
static struct mapping shown = { .ops = &counting };

/* Areas that are listed with what they show. */
static unsigned listed(void)
{
	unsigned n = 0;

	for (struct vma *v = shown.vmas; v; v = v->mapping_next)
		n++;
	return n;
}

static uintptr_t address(unsigned page)
{
	return BASE + page * PAGE_SIZE;
}

static void own(unsigned from, unsigned to, struct vma *v)
{
	for (unsigned i = from; i < to; i++)
		owner[i] = v;
}

static unsigned first_page(const struct vma *v)
{
	return (unsigned)((v->start - BASE) / PAGE_SIZE);
}

static unsigned end_page(const struct vma *v)
{
	return (unsigned)((v->end - BASE) / PAGE_SIZE);
}

/* Areas with the same rights differ in nothing, and merge where they meet. */
static void insert(unsigned from, unsigned to)
{
	struct vma like = {
		.start = address(from),
		.lowest = address(from),
		.end = address(to),
		.prot = random_below(2),
		.space = &space,
		.mapping = &shown,
		.shift = 5,
		.file_end = FILE_ALL,
	};
	struct vma *v;

	for (unsigned i = from; i < to; i++)
		if (owner[i])
			return;
	v = vma_add(&like);
	assert_non_null(v);
	own(from, to, v);
}

static void remove_at(unsigned page)
{
	struct vma *v = owner[page];

	if (!v)
		return;
	own(first_page(v), end_page(v), NULL);
	vma_remove(v);
}

static void split_at(unsigned page)
{
	struct vma *v = owner[page], *upper;
	bool inside = v && v->start < address(page);

	assert_true(vma_split(&space, address(page)));
	upper = vma_above(&space, address(page));
	if (!inside)
		return;
	assert_ptr_not_equal(upper, v);
	assert_int_equal(v->end, address(page));
	assert_int_equal(upper->start, address(page));
	own(page, end_page(upper), upper);
}

static void merge_at(unsigned page)
{
	struct vma *a = page ? owner[page - 1] : NULL, *b = owner[page];
	bool one = a && b && a != b && a->prot == b->prot;
	unsigned end = b ? end_page(b) : 0;

	vma_merge(&space, address(page));
	if (!one)
		return;
	assert_int_equal(a->end, address(end));
	own(page, end, a);
}

static unsigned depth(const struct vma *v)
{
	unsigned left, right;

	if (!v)
		return 0;
	assert_true(!v->left ||
		    (v->left->rank <= v->rank && v->left->end <= v->start));
	assert_true(!v->right ||
		    (v->right->rank <= v->rank && v->right->start >= v->end));
	left = depth(v->left);
	right = depth(v->right);
	return 1 + (left > right ? left : right);
}

static void check(void)
{
	struct vma *next = NULL;

	for (unsigned i = PAGES; i-- > 0;) {
		next = owner[i] ? owner[i] : next;
		assert_ptr_equal(vma_above(&space, address(i)), next);
		assert_ptr_equal(vma_above(&space, address(i) + 4095), next);
	}
	assert_null(vma_above(&space, address(PAGES)));
}

static void test_storm(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned page = random_below(PAGES), what = random_below(8);
		unsigned most = PAGES - page < 12 ? PAGES - page : 12;

		if (what < 3)
			insert(page, page + 1 + random_below(most));
		else if (what < 4)
			remove_at(page);
		else if (what < 6)
			split_at(page);
		else
			merge_at(page);
		if (i % 16 == 0)
			check();
		assert_int_equal(held - released, space.area_count);
		assert_int_equal(listed(), space.area_count);
	}
	for (unsigned i = 0; i < PAGES; i++)
		remove_at(i);
	assert_null(space.areas);
	assert_int_equal(space.area_count, 0);
}

/* In order of address: a tree without balance would be a list. */
static void test_depth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAGES; i++)
		insert(i, i + 1);
	assert_true(depth(space.areas) < 30);
	check();
	for (unsigned i = 0; i < PAGES; i++)
		remove_at(i);
}

/* A program's areas are a limited number. */
static void test_limit(void **state)
{
	struct vma like = { .space = &space, .mapping = &shown };
	struct vma *all[2048];
	unsigned n = 0;

	(void)state;
	for (; n < 2048; n++) {
		like.start = like.lowest = address(n);
		like.end = address(n + 1);
		all[n] = vma_add(&like);
		if (!all[n])
			break;
	}
	assert_int_equal(n, 1024);
	while (n)
		vma_remove(all[--n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limit),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
