/* SPDX-License-Identifier: MIT */
/* What CPUID says to each vCPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/cpuid.h"

static struct kvm_cpuid2 *list;

/* A list with all bits of all registers set. */
static int setup(void **state)
{
	static const uint32_t leaf[][2] = {
		{ 0, 0 },	   { 1, 0 },	      { 4, 0 },
		{ 4, 3 },	   { 0xb, 0 },	      { 0xb, 1 },
		{ 0xb, 2 },	   { 0x40000001, 0 }, { 0x80000001, 0 },
		{ 0x80000008, 0 }, { 0x8000000a, 0 }, { 0x8000001e, 0 },
		{ 7, 0 },	   { 7, 1 },
	};
	unsigned n = sizeof(leaf) / sizeof(leaf[0]);

	(void)state;
	list = malloc(sizeof(*list) + n * sizeof(list->entries[0]));
	list->nent = n;
	memset(list->entries, 0xff, n * sizeof(list->entries[0]));
	for (unsigned i = 0; i < n; i++) {
		list->entries[i].function = leaf[i][0];
		list->entries[i].index = leaf[i][1];
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(list);
	return 0;
}

static const struct kvm_cpuid_entry2 *leaf(uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < list->nent; i++)
		if (list->entries[i].function == function &&
		    list->entries[i].index == index)
			return &list->entries[i];
	fail_msg("no leaf %#x", function);
	return NULL;
}

static void no_tables_of_five_levels(void **state)
{
	(void)state;
	cpuid_fit(list, 0, 1);
	assert_int_equal(leaf(7, 0)->ecx, ~(1u << 16));
	assert_int_equal(leaf(7, 1)->ecx, UINT32_MAX);
}

static void no_nested_virtualization(void **state)
{
	(void)state;
	cpuid_fit(list, 0, 1);
	assert_false(leaf(1, 0)->ecx & 1 << 5);
	assert_false(leaf(0x80000001, 0)->ecx & 1 << 2);
	assert_int_equal(leaf(0x8000000a, 0)->ebx, 0);
	assert_int_equal(leaf(0x8000000a, 0)->edx, 0);
}

static void a_hypervisor_is_there(void **state)
{
	(void)state;
	list->entries[1].ecx = 0;
	cpuid_fit(list, 0, 1);
	assert_true(leaf(1, 0)->ecx & 1u << 31);
	assert_true(leaf(1, 0)->ecx & 1u << 24); /* the TSC deadline */
	/* KVM's own leaves stay as they are */
	assert_int_equal(leaf(0x40000001, 0)->eax, UINT32_MAX);
	assert_int_equal(leaf(0, 0)->eax, UINT32_MAX);
}

static void one_cpu_shares_nothing(void **state)
{
	(void)state;
	cpuid_fit(list, 0, 1);
	assert_int_equal(leaf(1, 0)->ebx, 0x0001ffff);
	assert_false(leaf(1, 0)->edx & 1 << 28);
	assert_int_equal(leaf(4, 3)->eax >> 14, 0);
	assert_int_equal(leaf(0xb, 1)->eax, 0);
	assert_int_equal(leaf(0xb, 1)->ebx, 1);
	assert_int_equal(leaf(0x80000008, 0)->ecx, 0);
	assert_false(leaf(0x80000001, 0)->ecx & 1 << 1);
}

/* The sixth of six: three bits of the APIC's id say which core it is. */
static void six_cores_in_one_package(void **state)
{
	(void)state;
	cpuid_fit(list, 5, 6);
	assert_int_equal(leaf(1, 0)->ebx, 0x0506ffff);
	assert_true(leaf(1, 0)->edx & 1 << 28);
	assert_int_equal(leaf(4, 0)->eax >> 26, 5); /* cores in the package */
	assert_int_equal(leaf(4, 3)->eax >> 14 & 0xfff, 0); /* level 7: none */
	assert_int_equal(leaf(0xb, 0)->eax, 0);
	assert_int_equal(leaf(0xb, 0)->ebx, 1); /* one thread a core */
	assert_int_equal(leaf(0xb, 0)->ecx, 0x100);
	assert_int_equal(leaf(0xb, 0)->edx, 5);
	assert_int_equal(leaf(0xb, 1)->eax, 3);
	assert_int_equal(leaf(0xb, 1)->ebx, 6);
	assert_int_equal(leaf(0xb, 1)->ecx, 0x201);
	assert_int_equal(leaf(0xb, 1)->edx, 5);
	assert_int_equal(leaf(0xb, 2)->ebx, 0); /* no further level */
	assert_int_equal(leaf(0xb, 2)->ecx, 2);
	assert_int_equal(leaf(0x80000008, 0)->ecx, 0x3005);
	assert_int_equal(leaf(0x8000001e, 0)->eax, 5);
	assert_int_equal(leaf(0x8000001e, 0)->ecx, 0);
}

/* Of the caches only the third level is all cores'. */
static void caches_are_shared_at_level_three(void **state)
{
	(void)state;
	list->entries[2].eax = 1 | 2 << 5; /* data, level 2 */
	list->entries[3].eax = 3 | 3 << 5; /* unified, level 3 */
	cpuid_fit(list, 0, 6);
	assert_int_equal(leaf(4, 0)->eax, 1 | 2 << 5 | 5 << 26);
	assert_int_equal(leaf(4, 3)->eax, 3 | 3 << 5 | 5 << 14 | 5 << 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_tables_of_five_levels, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_nested_virtualization, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_hypervisor_is_there, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_cpu_shares_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(six_cores_in_one_package, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			caches_are_shared_at_level_three, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
