/* SPDX-License-Identifier: MIT */
/* A RAM of 512 pages, a kernel and processes in it, and what is said of them.
 * Where a test has more RAM, it is in swap, and the same pages again. */
#ifndef TESTS_ATTRIBUTE_FIXTURE_H
#define TESTS_ATTRIBUTE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ept/walk.h"
#include "vmm/attribute.h"

#define PAGES 512u

/* Bits of the guest's entries: SDM vol. 3A, 4.5.4. */
#define P     0x1u
#define USER  0x4u
#define LARGE 0x80u

static uint64_t page[PAGES][LEVEL_ENTRIES]; /* guest RAM */
static enum owned state[PAGES];
static bool away[PAGES]; /* cannot be looked at */
static unsigned looks; /* at whole pages */
static struct ram ram;
static struct roots roots;
static struct attribution a;

static inline bool look(void *ctx, gpa_t at, void *to, size_t len)
{
	uint64_t g = gfn_of(at).v % PAGES;

	(void)ctx;
	assert_true(ram_contains(&ram, at, len));
	assert_true(range_within(at.v & PAGE_MASK, len, PAGE_SIZE));
	looks += len == PAGE_SIZE;
	if (away[g])
		return false;
	memcpy(to, (uint8_t *)page[g] + (at.v & PAGE_MASK), len);
	return true;
}

static inline enum owned state_of(void *ctx, gfn_t g)
{
	(void)ctx;
	assert_true(ram_contains(&ram, gpa_of(g), PAGE_SIZE));
	return g.v < PAGES ? state[g.v] : OWNED_SWAPPED;
}

static const struct attribute_memory memory = { &ram, look, state_of, NULL };

static inline int setup(void **unused)
{
	(void)unused;
	memset(page, 0, sizeof(page));
	memset(away, 0, sizeof(away));
	for (unsigned i = 0; i < PAGES; i++)
		state[i] = OWNED_RESIDENT;
	looks = 0;
	roots = (struct roots){ .n = 0 };
	ram = (struct ram){ .range = { { { 0 }, PAGES << PAGE_SHIFT } },
			    .ranges = 1 };
	return 0;
}

static inline void entry(unsigned table, unsigned i, unsigned to, uint64_t bits)
{
	page[table][i] = (uint64_t)to << PAGE_SHIFT | bits | P;
}

/*
 * A kernel whose half is tables 1 (level 3), 2 and 3, the last of which maps
 * pages 0 to 7; its own root is page 4.
 */
static inline void make_kernel(void)
{
	entry(4, 511, 1, 0);
	entry(1, 511, 2, 0);
	entry(2, 0, 3, 0);
	for (unsigned i = 0; i < 8; i++)
		entry(3, i, i, 0);
}

/* A process: root, tables behind it, @n pages from @first on. */
static inline void make_process(unsigned root, unsigned first, unsigned n)
{
	entry(root, 511, 1, 0);
	entry(root, 0, root + 1, USER);
	entry(root + 1, 0, root + 2, USER);
	entry(root + 2, 2, root + 3, USER);
	for (unsigned i = 0; i < n; i++)
		entry(root + 3, i, first + i, USER);
}

static inline void see(unsigned root, uint32_t pid)
{
	roots_add(&memory, &roots,
		  (struct root){ (uint64_t)root << PAGE_SHIFT, pid,
				 ROOT_BY_VCPU });
}

static inline void count(void)
{
	uint64_t all = 0, pages = 0;

	roots_find(&memory, &roots);
	assert_int_equal(attribute(&memory, &roots, &a), 0);
	for (unsigned k = 0; k < OWNED_STATES; k++) {
		for (unsigned i = 0; i < a.n; i++)
			all += a.process[i].own.n[k];
		all += a.others_own.n[k] + a.shared.n[k] + a.tables.n[k] +
		       a.kernel.n[k] + a.unreachable.n[k];
	}
	for (unsigned i = 0; i < ram.ranges; i++)
		pages += ram.range[i].bytes >> PAGE_SHIFT;
	assert_int_equal(all, pages); /* each in one account */
}

/* From the one root that a vCPU uses. */
static inline void count_from(unsigned root)
{
	roots.n = 0;
	see(root, 0);
	count();
}

static inline void expect(const struct owned_pages *p, unsigned resident,
			  unsigned swapped, unsigned zero)
{
	assert_int_equal(p->n[OWNED_RESIDENT], resident);
	assert_int_equal(p->n[OWNED_SWAPPED], swapped);
	assert_int_equal(p->n[OWNED_ZERO], zero);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
