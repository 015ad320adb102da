/* SPDX-License-Identifier: MIT */
/*
 * The controller against a guest whose working set is known: the fewer of its
 * pages are resident, the more of its time it waits for the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/pressure.h"
#include "vmm/slo.h"

#define MIB	(UINT64_C(1) << 20)
#define FLOOR	(3 * MIB)
#define CEILING (1024 * MIB)
#define SECOND	UINT64_C(1000000000)

/* A guest, its clock and its controller. */
struct world {
	struct slo slo;
	struct pressure pressure;
	uint64_t ns;
	uint64_t working, touched; /* bytes */
	uint64_t least, most; /* caps seen */
	unsigned broken; /* seconds whose avg10 was above the target */
};

static struct world world(double target, uint64_t working)
{
	struct world w = { .slo = { .target = target, .cap = CEILING },
			   .working = working,
			   .touched = working,
			   .least = UINT64_MAX };

	pressure_init(&w.pressure, 0);
	pressure_add_vcpu(&w.pressure, 1, 0);
	return w;
}

/* The share of its time that a guest waits: a fault in a hundred references
 * that miss makes it wait half of it. */
static double stall_percent(const struct world *w)
{
	double cap = (double)w->slo.cap, set = (double)w->working;
	double miss = cap < set ? 1 - cap / set : 0;

	return 100 * miss / (miss + 0.01);
}

static void live(struct world *w, unsigned seconds)
{
	while (seconds--) {
		double stall = stall_percent(w);
		struct slo_second t = { .now = stall,
					.floor = FLOOR,
					.ceiling = CEILING };
		uint64_t before = w->slo.cap;

		pressure_begin(&w->pressure, 1, w->ns);
		pressure_end(&w->pressure, 1,
			     w->ns + (uint64_t)(stall / 100 * (double)SECOND));
		w->ns += SECOND;
		t.avg10 = pressure_read(&w->pressure, w->ns).some.avg10;
		t.resident = before < w->touched ? before : w->touched;
		w->broken += t.avg10 > w->slo.target;
		slo_step(&w->slo, &t);
		if (w->slo.cap < w->least)
			w->least = w->slo.cap;
		if (w->slo.cap > w->most)
			w->most = w->slo.cap;
		assert_in_range(w->slo.cap, FLOOR, CEILING);
	}
}

static void forget(struct world *w)
{
	w->least = UINT64_MAX;
	w->most = 0;
	w->broken = 0;
}

static void cap_comes_to_the_working_set(void **state)
{
	static const double targets[] = { 0.5, 2, 10 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world w = world(targets[i], 200 * MIB);

		live(&w, 120);
		forget(&w);
		live(&w, 600);
		print_message("target %.1f%%: cap %llu to %llu MiB for 200, "
			      "%u of 600 s above it\n",
			      targets[i], (unsigned long long)w.least / MIB,
			      (unsigned long long)w.most / MIB, w.broken);
		assert_in_range(w.least, 180 * MIB, 200 * MIB);
		assert_in_range(w.most, 190 * MIB, 240 * MIB);
		assert_in_range(w.broken, 0, 600 / 4);
	}
}

static void idle_guest_goes_to_the_floor(void **state)
{
	struct world w = world(1, 0);

	(void)state;
	w.touched = 64 * MIB;
	live(&w, 1);
	assert_in_range(w.slo.cap, 64 * MIB, 72 * MIB); /* at once */
	live(&w, 1000);
	assert_int_equal(w.slo.cap, FLOOR);
	assert_int_equal(w.slo.raised, 0);
}

static void growing_guest_gets_its_memory_back(void **state)
{
	struct world w = world(1, 50 * MIB);

	(void)state;
	live(&w, 300);
	assert_true(w.slo.cap < 60 * MIB);
	w.working = w.touched = 800 * MIB;
	live(&w, 10);
	assert_true(w.slo.cap >= 720 * MIB);
	assert_true(w.slo.raised >= 4);
	w.working = w.touched = 50 * MIB;
	live(&w, 400);
	assert_true(w.slo.cap < 60 * MIB);
}

static void thrashing_guest_stops_at_the_ceiling(void **state)
{
	struct world w = world(1, 4096 * MIB);

	(void)state;
	live(&w, 60);
	assert_int_equal(w.slo.cap, CEILING);
	assert_int_equal(w.slo.lowered, 0);
}

/* The operator may move the ends at any time. */
static void ends_are_kept_when_they_move(void **state)
{
	struct slo s = { .target = 1, .cap = 100 * MIB };
	struct slo_second t = { .avg10 = 5, /* rests */
				.resident = 100 * MIB,
				.floor = FLOOR,
				.ceiling = 40 * MIB };

	(void)state;
	assert_int_equal(slo_step(&s, &t), 40 * MIB);
	t.floor = 50 * MIB;
	t.ceiling = CEILING;
	assert_int_equal(slo_step(&s, &t), 50 * MIB);
	assert_int_equal(slo_step(&s, &t), 50 * MIB);
	assert_int_equal(s.lowered, 1);
	assert_int_equal(s.raised, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cap_comes_to_the_working_set),
		cmocka_unit_test(idle_guest_goes_to_the_floor),
		cmocka_unit_test(growing_guest_gets_its_memory_back),
		cmocka_unit_test(thrashing_guest_stops_at_the_ceiling),
		cmocka_unit_test(ends_are_kept_when_they_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
