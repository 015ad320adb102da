/* SPDX-License-Identifier: MIT */
/*
 * The stage-2 table against a flat array: random maps, unmaps, protects and
 * merges, small and large, and after each the whole window is compared. The
 * window straddles a 1 GiB boundary, or ends at the top of the space.
 *
 *     model/ept [SEED]      the seed is printed; a failing step says itself
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ept/table.h"

#define GIB    UINT64_C(262144)
#define MIB2   UINT64_C(512)
#define WINDOW (2 * GIB)
#define STEPS  400

static uint64_t seed = 20261121;
static struct pte *flat; /* [WINDOW], each entry as ept_lookup gives it */
static uint64_t base; /* the window's first gfn */

static uint64_t random_next(void)
{
	/* xorshift64* (Vigna, 2016) */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t n)
{
	return (random_next() >> 11) % n;
}

/* A range in the window: tiny, around 2 MiB, or around 1 GiB; often aligned,
 * often one page off, sometimes up to the window's very end. */
static void random_range(uint64_t *first, uint64_t *pages)
{
	static const uint64_t sizes[] = { 1, 7, MIB2, 3 * MIB2, GIB };
	uint64_t size = sizes[below(5)], unit = size >= MIB2 ? MIB2 : 1;

	if (size == GIB)
		unit = GIB;
	*first = below(WINDOW / unit) * unit;
	if (below(3) == 0 && *first)
		*first -= 1;
	if (below(3) == 0)
		size += 1;
	if (size > WINDOW - *first || below(16) == 0)
		size = WINDOW - *first;
	*pages = size;
}

static struct pte random_entry(uint64_t first)
{
	unsigned rights = 1 + (unsigned)below(7);
	uint64_t frame = below(2) ? first : first + below(3) * MIB2 + below(2);

	switch (below(4)) {
	case 0:
		return pte_away(PTE_ABSENT, below(4), rights);
	case 1:
		return pte_away(PTE_UNMAPPED, frame, rights);
	case 2:
		return pte_hole();
	default:
		return pte_leaf((frame_t){ frame }, rights);
	}
}

static const char *step(struct ept *t)
{
	uint64_t first, pages, i;

	random_range(&first, &pages);
	if (below(8) == 0) {
		ept_merge(t, (gfn_t){ base + first }, pages);
		return "merge";
	}
	if (below(4) == 0) {
		unsigned rights = 1 + (unsigned)below(7);

		assert_int_equal(
			ept_protect(t, (gfn_t){ base + first }, pages, rights),
			0);
		for (i = first; i < first + pages; i++)
			if (pte_kind(flat[i]) != PTE_HOLE)
				flat[i] = pte_with_rights(flat[i], rights);
		return "protect";
	}
	struct pte e = random_entry(first);

	assert_int_equal(ept_map(t, (gfn_t){ base + first }, pages, e), 0);
	for (i = 0; i < pages; i++)
		flat[first + i] = pte_offset(e, i);
	return "map";
}

static void compare(const struct ept *t, unsigned n, const char *what)
{
	uint64_t count[PTE_KINDS] = { [PTE_HOLE] = EPT_PAGES - WINDOW };

	for (uint64_t i = 0; i < WINDOW; i++) {
		struct pte got = ept_lookup(t, (gfn_t){ base + i });

		if (got.v != flat[i].v)
			fail_msg("step %u (%s), page %#llx: got %#llx, "
				 "want %#llx",
				 n, what, (unsigned long long)i,
				 (unsigned long long)got.v,
				 (unsigned long long)flat[i].v);
		count[pte_kind(flat[i])]++;
	}
	for (unsigned k = 0; k < PTE_KINDS; k++)
		assert_int_equal(t->pages[k], count[k]);
}

static void run(uint64_t window_base)
{
	struct ept t;

	base = window_base;
	flat = calloc(WINDOW, sizeof(*flat));
	assert_non_null(flat);
	assert_int_equal(ept_init(&t), 0);
	printf("seed %llu, base %#llx\n", (unsigned long long)seed,
	       (unsigned long long)base);
	for (unsigned n = 0; n < STEPS; n++) {
		const char *what = step(&t);

		if (n % 16 == 0 || n == STEPS - 1)
			compare(&t, n, what);
	}
	assert_int_equal(ept_unmap(&t, (gfn_t){ base }, WINDOW), 0);
	assert_int_equal(t.tables <= 2, 1);
	ept_destroy(&t);
	free(flat);
}

static void matches_at_the_bottom(void **state)
{
	(void)state;
	run(0);
}

static void matches_at_the_top(void **state)
{
	(void)state;
	run(EPT_PAGES - WINDOW);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_at_the_bottom),
		cmocka_unit_test(matches_at_the_top),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
