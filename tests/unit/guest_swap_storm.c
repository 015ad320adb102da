/* SPDX-License-Identifier: MIT */
/* Random forks, writes, reads and evictions, against what each page of each
 * process was last given. */
#include "tests/unit/guest_swap_fixture.h"

#define SPACES 5u
#define PAGES  24u

static struct {
	struct space *s;
	uint64_t value[PAGES];
} model[SPACES];

static void fork_into(unsigned to, unsigned from)
{
	if (model[to].s)
		space_free(model[to].s);
	model[to] = model[from];
	model[to].s = space_fork(model[from].s);
	assert_non_null(model[to].s);
}

static void evict_some(void)
{
	struct frame *f;

	lru_gather(UINT32_MAX);
	f = last(false);
	if (!f)
		return;
	lru_move(f, false);
	if (f->count == f->maps)
		swap_out(f);
}

static void step(void)
{
	unsigned i = random_below(SPACES), page = random_below(PAGES);
	uintptr_t va = BASE + page * PAGE_SIZE;

	if (!model[i].s)
		return;
	switch (random_below(8)) {
	case 0:
		if (random_below(8) == 0)
			fork_into((i + 1 + random_below(SPACES - 1)) % SPACES,
				  i);
		break;
	case 1:
	case 2:
	case 3:
		evict_some();
		break;
	case 4:
	case 5:
		model[i].value[page] = random_below(1u << 30);
		*word(model[i].s, va, FAULT_W) = model[i].value[page];
		break;
	default:
		assert_int_equal(*word(model[i].s, va, 0),
				 model[i].value[page]);
	}
}

static void storm(void **state)
{
	uint64_t frames_before = counts.frames[FRAME_ANON];

	(void)state;
	model[0].s = space_with(PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		model[0].value[i] = 1000 + i;
	for (unsigned i = 0; i < 100000; i++) {
		step();
		for (unsigned j = 0; i % 512 == 0 && j < SPACES; j++)
			if (model[j].s)
				check_counts(model[j].s);
	}
	assert_true(counts.swap_writes > 5000);
	for (unsigned i = 0; i < SPACES; i++)
		if (model[i].s)
			space_free(model[i].s);
	assert_int_equal(counts.slots_used, 0);
	assert_int_equal(counts.frames[FRAME_ANON], frames_before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
