/* SPDX-License-Identifier: MIT */
/* The IOMMU by itself, held against a flat array: docs/hostile.md, D. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "devices/iommu.h"

#define DEVICE_1 1u
#define DEVICE_2 2u

static struct iommu *m;

static unsigned faulted;

static void on_fault(void *ctx)
{
	assert_ptr_equal(ctx, &faulted);
	faulted++;
}

static int begin(void **state)
{
	(void)state;
	faulted = 0;
	m = iommu_create(on_fault, &faulted);
	iommu_add_endpoint(m, DEVICE_1);
	iommu_add_endpoint(m, DEVICE_2);
	return 0;
}

static int end(void **state)
{
	struct iommu_counters c;

	(void)state;
	iommu_reset(m);
	iommu_counters(m, &c);
	assert_int_equal(c.tables, 0);
	iommu_destroy(m);
	return 0;
}

/* Pages [page, page + pages) of domain 7 become those from @to on. */
static int map(uint64_t page, uint64_t pages, uint64_t to, unsigned rights)
{
	return iommu_map(m, 7, (iova_t){ page << PAGE_SHIFT },
			 (iova_t){ ((page + pages) << PAGE_SHIFT) - 1 },
			 (gpa_t){ to << PAGE_SHIFT }, rights);
}

static int unmap(uint64_t page, uint64_t pages)
{
	return iommu_unmap(m, 7, (iova_t){ page << PAGE_SHIFT },
			   (iova_t){ ((page + pages) << PAGE_SHIFT) - 1 });
}

/* Where @page leads; UINT64_MAX: nowhere. */
static uint64_t leads_to(uint64_t page, unsigned rights)
{
	gpa_t to;
	bool good;

	iommu_enter(m);
	good = iommu_translate(m, DEVICE_1, (iova_t){ page << PAGE_SHIFT },
			       rights, &to);
	iommu_leave(m);
	return good ? to.v >> PAGE_SHIFT : UINT64_MAX;
}

static void an_endpoint_without_a_domain_bypasses_or_not(void **state)
{
	struct iommu_fault f;

	(void)state;
	assert_int_equal(leads_to(5, IOMMU_WRITE), 5);
	iommu_set_bypass(m, false);
	assert_int_equal(leads_to(5, IOMMU_WRITE), UINT64_MAX);
	assert_int_equal(faulted, 1);
	assert_true(iommu_take_fault(m, &f));
	assert_int_equal(f.reason, IOMMU_NO_DOMAIN);
	assert_int_equal(f.endpoint, DEVICE_1);
	assert_int_equal(f.at.v, 5 << PAGE_SHIFT);
	assert_false(iommu_take_fault(m, &f));
	assert_int_equal(iommu_attach(m, 7, DEVICE_1, true), 0);
	assert_int_equal(leads_to(5, IOMMU_WRITE), 5);
	assert_int_equal(map(1, 1, 1, IOMMU_READ), -EINVAL);
}

/* D53. */
static void domains_come_and_go_with_their_endpoints(void **state)
{
	(void)state;
	assert_int_equal(iommu_attach(m, 7, 99, false), -ENOENT);
	assert_int_equal(map(1, 1, 1, IOMMU_READ), -ENOENT);
	assert_int_equal(unmap(1, 1), -ENOENT);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(iommu_attach(m, 7, DEVICE_1, false), 0);
		assert_int_equal(iommu_attach(m, 7, DEVICE_2, false), 0);
		assert_int_equal(iommu_attach(m, 7, DEVICE_2, true), -EINVAL);
		assert_int_equal(map(1, 1, 100 + i, IOMMU_READ), 0);
		assert_int_equal(leads_to(1, IOMMU_READ), 100 + i);
		assert_int_equal(iommu_attach(m, i + 8, DEVICE_2, false), 0);
		assert_int_equal(iommu_detach(m, 7, DEVICE_2), -EINVAL);
		assert_int_equal(iommu_detach(m, i + 8, DEVICE_2), 0);
		assert_int_equal(iommu_detach(m, 7, 99), -ENOENT);
		assert_int_equal(iommu_detach(m, 7, DEVICE_1), 0);
		assert_int_equal(iommu_detach(m, 7, DEVICE_1), -EINVAL);
		assert_int_equal(leads_to(1, IOMMU_READ), 1);
	}
}

/* D49, D50. */
static void a_mapping_goes_as_it_came(void **state)
{
	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	assert_int_equal(map(512, 1024, 2048, IOMMU_READ), 0); /* large ones */
	assert_int_equal(map(10, 5, 70, IOMMU_READ | IOMMU_WRITE), 0);
	assert_int_equal(map(15, 1, 90, IOMMU_WRITE), 0); /* D51: adjacent */
	assert_int_equal(map(14, 1, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(map(0, 11, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(map(0, 1 << 20, 1, IOMMU_READ), -EINVAL);
	assert_int_equal(unmap(10, 4), -ERANGE);
	assert_int_equal(unmap(11, 4), -ERANGE);
	assert_int_equal(unmap(12, 1), -ERANGE);
	assert_int_equal(unmap(0, 13), -ERANGE);
	assert_int_equal(unmap(512, 512), -ERANGE);
	assert_int_equal(unmap(1024, 512), -ERANGE);
	assert_int_equal(unmap(513, 1), -ERANGE);
	assert_int_equal(leads_to(14, IOMMU_WRITE), 74);
	assert_int_equal(leads_to(15, IOMMU_WRITE), 90);
	assert_int_equal(leads_to(15, IOMMU_READ), UINT64_MAX);
	assert_int_equal(leads_to(1535, IOMMU_READ), 2048 + 1023);
	assert_int_equal(unmap(0, 16), 0); /* two whole ones */
	assert_int_equal(leads_to(14, IOMMU_READ), UINT64_MAX);
	assert_int_equal(unmap(0, UINT64_C(1) << 36), 0);
	assert_int_equal(leads_to(600, IOMMU_READ), UINT64_MAX);
	assert_int_equal(unmap(0, 1), 0); /* nothing is there: no error */
}

/* D49. */
static void requests_without_sense_change_nothing(void **state)
{
	const iova_t a = { PAGE_SIZE }, b = { 3 * PAGE_SIZE - 1 };
	const gpa_t to = { 0 };
	const unsigned rw = IOMMU_READ | IOMMU_WRITE;
	struct iommu_counters c;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	assert_int_equal(iommu_map(m, 7, b, a, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, a, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, (iova_t){ 1 }, b, to, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, (iova_t){ b.v + 1 }, to, rw),
			 -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, (gpa_t){ 1 }, rw), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, (gpa_t){ ~PAGE_MASK }, rw),
			 -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, to, 0), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, b, to, 4), -EINVAL);
	assert_int_equal(iommu_map(m, 7, a, (iova_t){ UINT64_MAX }, to, rw),
			 -EINVAL);
	assert_int_equal(iommu_unmap(m, 7, b, a), -EINVAL);
	assert_int_equal(iommu_unmap(m, 7, a, (iova_t){ UINT64_MAX }), -EINVAL);
	iommu_counters(m, &c);
	assert_int_equal(c.mapped, 0);
	assert_int_equal(c.tables, 0);
	assert_int_equal(leads_to(UINT64_C(1) << 40, IOMMU_READ), UINT64_MAX);
}

/* D49: a million mappings find an end, and nothing is left of the last. */
static void tables_are_bounded(void **state)
{
	struct iommu_counters c;
	uint64_t n = 0;
	int r = 0;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (; n < 1000000 && !r; n++)
		r = map(n << 18, 1, n, IOMMU_READ);
	assert_int_equal(r, -ENOMEM);
	iommu_counters(m, &c);
	assert_in_range(c.tables, IOMMU_TABLES - 3, IOMMU_TABLES);
	assert_int_equal(leads_to((n - 1) << 18, IOMMU_READ), UINT64_MAX);
	assert_int_equal(leads_to((n - 2) << 18, IOMMU_READ), n - 2);
	assert_int_equal(unmap((n - 2) << 18, 1), 0);
	assert_int_equal(map((n - 1) << 18, 1, n, IOMMU_READ), 0);
}

/* D55. */
static void fault_records_are_bounded(void **state)
{
	struct iommu_counters c;
	struct iommu_fault f;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (uint64_t i = 0; i < IOMMU_FAULTS + 10; i++)
		leads_to(i, IOMMU_READ);
	iommu_counters(m, &c);
	assert_int_equal(c.faults, IOMMU_FAULTS + 10);
	assert_int_equal(c.lost, 10);
	for (uint64_t i = 0; i < IOMMU_FAULTS; i++) {
		assert_true(iommu_take_fault(m, &f));
		assert_int_equal(f.at.v, i << PAGE_SHIFT);
	}
	assert_false(iommu_fault_waits(m));
}

static void the_tlb_forgets_what_is_unmapped(void **state)
{
	struct iommu_counters c;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(map(3, 1, 50 + i, IOMMU_READ), 0);
		assert_int_equal(leads_to(3, IOMMU_READ), 50 + i);
		assert_int_equal(leads_to(3, IOMMU_READ), 50 + i);
		assert_int_equal(unmap(3, 1), 0);
		assert_int_equal(leads_to(3, IOMMU_READ), UINT64_MAX);
	}
	iommu_counters(m, &c);
	assert_int_equal(c.hits, 100);
	assert_int_equal(c.walks, 200);
}

/* D50: an unmap waits for the access that was told the old address. */
static _Atomic int unmapped;

static void *unmap_it(void *arg)
{
	(void)arg;
	assert_int_equal(unmap(3, 1), 0);
	unmapped = 1;
	return NULL;
}

static void an_unmap_waits_for_accesses_under_way(void **state)
{
	pthread_t other;
	gpa_t to;

	(void)state;
	unmapped = 0;
	iommu_attach(m, 7, DEVICE_1, false);
	map(3, 1, 50, IOMMU_READ);
	iommu_enter(m);
	assert_true(iommu_translate(m, DEVICE_1, (iova_t){ 3 << PAGE_SHIFT },
				    IOMMU_READ, &to));
	assert_int_equal(pthread_create(&other, NULL, unmap_it, NULL), 0);
	/* Once it is not mapped any more, the other one waits for us. */
	while (iommu_translate(m, DEVICE_1, (iova_t){ 3 << PAGE_SHIFT },
			       IOMMU_READ, &to))
		;
	assert_int_equal(unmapped, 0);
	iommu_leave(m);
	pthread_join(other, NULL);
	assert_int_equal(unmapped, 1);
}

/* Random mappings beside an array that says the same. */
#define SPACE 4096u

static void tables_agree_with_a_flat_array(void **state)
{
	static struct {
		uint64_t to;
		unsigned number; /* of the mapping; 0: none */
	} flat[SPACE];
	unsigned seed = 20261121;

	(void)state;
	iommu_attach(m, 7, DEVICE_1, false);
	for (unsigned round = 1; round < 20000; round++) {
		unsigned first = (unsigned)rand_r(&seed) % SPACE;
		unsigned n = 1u << rand_r(&seed) % 12;
		bool clash = false, cut;
		uint64_t to =
			((unsigned)rand_r(&seed) % 8) << 9 | (first & 511);

		if (rand_r(&seed) % 4 == 0)
			first &= ~511u;
		if (n > SPACE - first)
			n = SPACE - first;
		cut = (first && flat[first].number &&
		       flat[first].number == flat[first - 1].number) ||
		      (first + n < SPACE && flat[first + n].number &&
		       flat[first + n].number == flat[first + n - 1].number);
		for (unsigned i = first; i < first + n; i++)
			clash |= flat[i].number != 0;
		if (rand_r(&seed) % 2) {
			assert_int_equal(map(first, n, to, IOMMU_READ),
					 clash ? -EINVAL : 0);
			for (unsigned i = 0; i < n && !clash; i++) {
				flat[first + i].to = to + i;
				flat[first + i].number = round;
			}
		} else {
			assert_int_equal(unmap(first, n), cut ? -ERANGE : 0);
			for (unsigned i = first; i < first + n && !cut; i++)
				flat[i].number = 0;
		}
		for (unsigned k = 0; k < 8; k++) {
			unsigned i = (unsigned)rand_r(&seed) % SPACE;

			assert_int_equal(leads_to(i, IOMMU_READ),
					 flat[i].number ? flat[i].to
							: UINT64_MAX);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_endpoint_without_a_domain_bypasses_or_not),
		TEST(domains_come_and_go_with_their_endpoints),
		TEST(a_mapping_goes_as_it_came),
		TEST(requests_without_sense_change_nothing),
		TEST(tables_are_bounded),
		TEST(fault_records_are_bounded),
		TEST(the_tlb_forgets_what_is_unmapped),
		TEST(an_unmap_waits_for_accesses_under_way),
		TEST(tables_agree_with_a_flat_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
