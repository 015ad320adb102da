/* SPDX-License-Identifier: MIT */
/* Pressure under a clock that the test moves. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/pressure.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)
#define T0 (12345 * MS) /* no run begins at zero */

/* A VM of @vcpus whose threads are 100, 101, ... */
static struct pressure vm(unsigned vcpus)
{
	struct pressure p;

	pressure_init(&p, T0);
	for (unsigned i = 0; i < vcpus; i++)
		pressure_add_vcpu(&p, 100 + i, T0);
	return p;
}

static void assert_near(double got, double want)
{
	if (fabs(got - want) > 1e-6)
		fail_msg("got %.9f, want %.9f", got, want);
}

static void totals_are_exact(void **state)
{
	struct pressure p = vm(2);
	struct pressure_report r;

	(void)state;
	pressure_begin(&p, 100, T0 + 10 * MS);
	pressure_begin(&p, 101, T0 + 15 * MS);
	pressure_end(&p, 100, T0 + 18 * MS);
	r = pressure_read(&p, T0 + 20 * MS); /* 101 still waits */
	assert_int_equal(r.some.total_us, 10000);
	assert_int_equal(r.full.total_us, 3000);
	pressure_end(&p, 101, T0 + 21 * MS);
	r = pressure_read(&p, T0 + 5 * S);
	assert_int_equal(r.some.total_us, 11000);
	assert_int_equal(r.full.total_us, 3000);
}

static void one_vcpu_that_waits_is_full(void **state)
{
	struct pressure p = vm(1);
	struct pressure_report r;

	(void)state;
	pressure_begin(&p, 100, T0 + MS);
	r = pressure_read(&p, T0 + 4 * MS);
	assert_int_equal(r.some.total_us, 3000);
	assert_int_equal(r.full.total_us, 3000);
}

static void strangers_and_repeats_do_not_count(void **state)
{
	struct pressure p = vm(2);
	struct pressure_report r;

	(void)state;
	pressure_begin(&p, 7, T0); /* no vCPU's thread */
	pressure_end(&p, 100, T0 + MS); /* did not wait */
	pressure_begin(&p, 100, T0 + 2 * MS);
	pressure_begin(&p, 100, T0 + 3 * MS); /* a signal: faults again */
	pressure_end(&p, 100, T0 + 5 * MS);
	pressure_end(&p, 100, T0 + 6 * MS);
	r = pressure_read(&p, T0 + 9 * MS);
	assert_int_equal(r.some.total_us, 3000);
	assert_int_equal(r.full.total_us, 0);
}

/* What the kernel's formula gives, period by period, in plain doubles. */
static double expected(const double *share, unsigned periods, double window)
{
	double avg = 0;

	for (unsigned i = 0; i < periods; i++)
		avg = avg * exp(-2 / window) +
		      share[i] * (1 - exp(-2 / window));
	return avg;
}

static void averages_are_those_of_psi(void **state)
{
	static const double share[] = { 50, 0, 100, 100, 25, 0, 0, 0 };
	struct pressure p = vm(1);
	struct pressure_report r;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t at = T0 + 2 * S * i;

		if (share[i] == 0)
			continue;
		pressure_begin(&p, 100, at);
		pressure_end(&p, 100, at + (uint64_t)(share[i] * 20) * MS);
	}
	r = pressure_read(&p, T0 + 16 * S - 1);
	assert_near(r.some.avg10, expected(share, 7, 10));
	r = pressure_read(&p, T0 + 16 * S);
	assert_near(r.some.avg10, expected(share, 8, 10));
	assert_near(r.some.avg60, expected(share, 8, 60));
	assert_near(r.some.avg300, expected(share, 8, 300));
	assert_near(r.full.avg10, r.some.avg10);
	assert_int_equal(r.some.total_us, 5500000);
}

/* One read after an hour says what a read a period would have said. */
static void long_waits_need_no_reader(void **state)
{
	struct pressure often = vm(1), once = vm(1);
	struct pressure_report a, b;

	(void)state;
	pressure_begin(&often, 100, T0 + 500 * MS);
	pressure_begin(&once, 100, T0 + 500 * MS);
	for (unsigned i = 1; i < 20; i++)
		pressure_read(&often, T0 + 777 * MS * i);
	pressure_end(&often, 100, T0 + 31 * S);
	pressure_end(&once, 100, T0 + 31 * S);
	for (unsigned i = 32; i < 3600; i++)
		pressure_read(&often, T0 + S * i);
	a = pressure_read(&often, T0 + 3600 * S);
	b = pressure_read(&once, T0 + 3600 * S);
	assert_int_equal(a.some.total_us, 30500000);
	assert_int_equal(b.some.total_us, 30500000);
	assert_near(a.some.avg10, b.some.avg10);
	assert_near(a.some.avg300, b.some.avg300);
	assert_true(b.some.avg300 > 1e-5); /* and it has not just gone */
}

static void the_clock_may_be_read_out_of_order(void **state)
{
	struct pressure p = vm(1);
	struct pressure_report r;

	(void)state;
	pressure_begin(&p, 100, T0 + 10 * MS);
	pressure_read(&p, T0 + 12 * MS);
	pressure_end(&p, 100, T0 + 11 * MS);
	r = pressure_read(&p, T0 + 20 * MS);
	assert_int_equal(r.some.total_us, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_are_exact),
		cmocka_unit_test(one_vcpu_that_waits_is_full),
		cmocka_unit_test(strangers_and_repeats_do_not_count),
		cmocka_unit_test(averages_are_those_of_psi),
		cmocka_unit_test(long_waits_need_no_reader),
		cmocka_unit_test(the_clock_may_be_read_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
