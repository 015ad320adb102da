/* SPDX-License-Identifier: MIT */
/*
 * Free-page hinting over a stage 2 at work: case D10 of docs/hostile.md. What
 * the guest hints at may be in use again before we hear of it, and is not lost
 * then. Threads of the test stand for vCPUs.
 */
#include "tests/unit/balloon_fixture.h"

#define NUMBER (VIRTIO_CONFIG + 8) /* hint_cmd_id */
#define STOP   0u
#define DONE   1u
#define AGAIN  UINT64_C(0xa9a1a9a1) /* what a page holds that is used again */
#define ROUNDS 100
#define VCPUS  2

static void say(uint32_t id)
{
	put(BUFFERS / 2, &id, sizeof(id));
	lend(BALLOON_HINTS, BUFFERS / 2, sizeof(id), 0);
}

static void hint(uint64_t page, uint32_t pages)
{
	lend(BALLOON_HINTS, page << PAGE_SHIFT, pages * (uint32_t)PAGE_SIZE,
	     VQ_DESC_WRITE);
}

/* The number of a round that has begun, which the guest is yet to hear of. */
static uint32_t begin_round(void)
{
	const uint32_t before = reg(NUMBER);

	while (!balloon_ask_hints(dev)) /* the driver has only just begun */
		usleep(100);
	while (reg(NUMBER) == before)
		usleep(100);
	return reg(NUMBER);
}

static void use_hints(void)
{
	drive(BALLOON_HINTS, BALLOON_F_HINTS);
}

static void a_round_frees_what_is_hinted(void **state)
{
	uint64_t held;
	uint32_t id;

	(void)state;
	use_hints();
	assert_int_equal(reg(NUMBER), STOP);
	id = begin_round();
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_not_equal(id, DONE);
	held = counters().resident;
	say(id);
	hint(FIRST, 8);
	hint(FIRST + 8, 8);
	say(STOP);
	assert_in_range(counters().resident, held - 16, held - 15);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(kind(FIRST + i), PTE_ABSENT);
	assert_int_equal(word_of(FIRST), 0);
	assert_int_equal(word_of(FIRST + 16), FIRST + 16);
	assert_int_equal(report().hinted, 16);
	assert_int_equal(report().discarded, 16);
	assert_int_equal(ballooned(RUNG_REPORTED_FREE), 16);
	assert_int_equal(reg(NUMBER), DONE);
	assert_int_equal(report().hint_host, DONE);
	assert_int_equal(report().hint_guest, STOP);
	assert_int_not_equal(begin_round(), id);
}

/* Written or only read by a vCPU, written by a device, and what becomes of such
 * pages until the hint is heard. */
static void what_is_used_again_survives(void **state)
{
	const uint64_t word = AGAIN;
	uint32_t id;

	(void)state;
	use_hints();
	id = begin_round();
	*touchable(FIRST) = AGAIN;
	put((FIRST + 1) << PAGE_SHIFT, &word, sizeof(word));
	*touchable(FIRST + 2) = AGAIN;
	assert_int_equal(stage2_evict(s2, gfn(FIRST + 2)), 0);
	assert_int_equal(kind(FIRST + 2), PTE_STORED);
	*touchable(FIRST + 3) = AGAIN;
	assert_int_equal(stage2_unmap(s2, gfn(FIRST + 3)), 0);
	assert_int_equal(kind(FIRST + 3), PTE_UNMAPPED);
	assert_int_equal(*touchable(FIRST + 4), FIRST + 4);
	say(id);
	hint(FIRST, 5);
	*touchable(FIRST) = AGAIN; /* and hinted once more */
	hint(FIRST, 5);
	say(STOP);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(word_of(FIRST + i), AGAIN);
	assert_int_equal(word_of(FIRST + 4), FIRST + 4);
	assert_int_equal(report().hinted, 10);
	assert_int_equal(report().discarded, 0);
	/* Not used since, they go in the next round; one is in swap. */
	assert_int_equal(stage2_evict(s2, gfn(FIRST + 2)), 0);
	say(begin_round());
	hint(FIRST, 5);
	assert_int_equal(report().discarded, 4);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(word_of(FIRST + i), 0);
}

/* A guest that clears what it allocates: nothing is lost with zeros. Where a
 * word is not, all stays. */
static void what_is_cleared_goes(void **state)
{
	uint32_t id;

	(void)state;
	use_hints();
	id = begin_round();
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = 0; k < PAGE_SIZE / 8; k++)
			touchable(FIRST + i)[k] = 0;
	touchable(FIRST + 7)[PAGE_SIZE / 8 - 1] = AGAIN;
	say(id);
	do /* some may just be mapped ahead: they are in use */
		hint(FIRST, 8);
	while (report().discarded < 7);
	assert_int_equal(report().discarded, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(kind(FIRST + i), PTE_ABSENT);
	assert_int_equal(kind(FIRST + 7), PTE_UNMAPPED);
	assert_int_equal(touchable(FIRST + 7)[PAGE_SIZE / 8 - 1], AGAIN);
}

/* A device that holds a page when the round begins may write to it later. */
static void what_a_device_holds_survives(void **state)
{
	const gpa_t at = { FIRST << PAGE_SHIFT };
	uint32_t id;
	void *held;

	(void)state;
	use_hints();
	assert_int_equal(guest_pin(ram, at, true, &held), 0);
	id = begin_round();
	*(uint64_t *)held = AGAIN;
	guest_unpin(ram, at);
	say(id);
	hint(FIRST, 1);
	assert_int_equal(word_of(FIRST), AGAIN);
}

/* No round, another's number, none yet, and after the end. */
static void pages_without_their_number_are_no_hints(void **state)
{
	uint32_t id;

	(void)state;
	use_hints();
	hint(FIRST, 1);
	say(7);
	hint(FIRST, 1);
	id = begin_round();
	hint(FIRST, 1);
	say(id - 1);
	hint(FIRST, 1);
	say(STOP); /* an earlier round's: this one has not begun */
	assert_int_equal(reg(NUMBER), id);
	assert_int_equal(begin_round(), id + 1);
	say(id);
	hint(FIRST, 1);
	say(id + 1);
	say(STOP);
	hint(FIRST, 1);
	assert_int_equal(reg(NUMBER), DONE);
	assert_int_equal(report().hinted, 0);
	assert_int_equal(word_of(FIRST), FIRST);
}

/* Numbers by the thousand tell the driver nothing, and cost no round. */
static void a_storm_of_numbers_is_ignored(void **state)
{
	uint32_t generation;

	(void)state;
	use_hints();
	generation = reg(VIRTIO_CONFIG_GENERATION);
	for (uint32_t i = 0; i < 1000; i++)
		say(i);
	lend(BALLOON_HINTS, BUFFERS / 2, 3, 0); /* no number */
	lend(BALLOON_HINTS, BUFFERS / 2, 4096, 0);
	lend(BALLOON_HINTS, HOLE, 4, 0);
	assert_int_equal(reg(VIRTIO_CONFIG_GENERATION), generation);
	assert_int_equal(report().hint_guest, 999);
	assert_int_equal(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, 0);
}

/* D15, with a round under way. */
static void a_reset_ends_the_round(void **state)
{
	uint32_t id;

	(void)state;
	use_hints();
	id = begin_round();
	say(id);
	use_hints();
	assert_int_equal(reg(NUMBER), STOP);
	hint(FIRST, 1);
	assert_int_equal(word_of(FIRST), FIRST);
	assert_int_equal(begin_round(), id + 1);
	drive(BALLOON_HINTS, BALLOON_F_REPORTING);
	assert_false(balloon_ask_hints(dev));
}

/* With gaps and without: behind an empty queue, at @first, the hints'. */
static void hint_by_queue(unsigned first, unsigned hints, uint64_t features)
{
	clear_queue();
	negotiate(features | BALLOON_F_HINTS);
	set_queue(hints, QUEUE);
	set(VIRTIO_QUEUE_SEL, first);
	set(VIRTIO_QUEUE_NUM, QUEUE);
	set_address(VIRTIO_QUEUE_DESC_LOW, TABLE);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, TABLE + 0x4000);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, TABLE + 0x8000);
	set(VIRTIO_QUEUE_READY, 1);
	driver_ok();
	say(begin_round());
	hint(FIRST + first, 1);
	assert_int_equal(word_of(FIRST + first), 0);
}

static void queues_are_told_by_their_order(void **state)
{
	(void)state;
	hint_by_queue(2, 3, BALLOON_F_STATS); /* both ways */
	hint_by_queue(4, 3, BALLOON_F_REPORTING); /* the specification's */
	hint_by_queue(3, 2, BALLOON_F_REPORTING); /* Linux's */
	assert_int_equal(report().hinted, 3);
}

static _Atomic unsigned asked, issued; /* rounds */
static _Atomic bool over;

static struct vcpu {
	pthread_t thread;
	unsigned index;
	_Atomic unsigned visits;
	unsigned written[MARKED]; /* rounds issued by then */
	uint64_t kept, gone, lost;
} vcpus[VCPUS];

/* What was written since the last round was issued must be there. */
static void visit(struct vcpu *v, unsigned i)
{
	volatile uint64_t *at = touchable(FIRST + i) + 8 * (v->index + 1);
	const unsigned now = issued;

	if (*at == AGAIN)
		v->kept++;
	else if (*at == 0 && asked != v->written[i])
		v->gone++;
	else
		v->lost++;
	*at = AGAIN;
	v->written[i] = now;
	v->visits++;
}

static void *keep_visiting(void *arg)
{
	struct vcpu *v = arg;

	for (unsigned n = v->index * 7; !over; n++)
		visit(v, n % MARKED);
	return NULL;
}

/* Until each has written some pages. */
static void let_them_write(void)
{
	for (unsigned i = 0; i < VCPUS; i++)
		for (unsigned seen = vcpus[i].visits;
		     vcpus[i].visits - seen < 8;)
			usleep(10);
}

static void hint_rounds(void)
{
	for (unsigned round = 1; round <= ROUNDS; round++) {
		uint32_t id;

		asked = round;
		id = begin_round();
		issued = round;
		let_them_write();
		say(id);
		for (unsigned i = 0; i < 4; i++)
			hint(FIRST, MARKED);
		say(STOP);
	}
}

static void nothing_written_in_a_round_is_lost(void **state)
{
	(void)state;
	use_hints();
	for (unsigned i = 0; i < VCPUS; i++) {
		vcpus[i].index = i;
		/* Before the first round it holds neither. */
		for (unsigned page = 0; page < MARKED; page++)
			touchable(FIRST + page)[8 * (i + 1)] = AGAIN;
		pthread_create(&vcpus[i].thread, NULL, keep_visiting,
			       &vcpus[i]);
	}
	hint_rounds();
	over = true;
	for (unsigned i = 0; i < VCPUS; i++) {
		pthread_join(vcpus[i].thread, NULL);
		assert_int_equal(vcpus[i].lost, 0);
		assert_true(vcpus[i].kept);
	}
	assert_int_equal(report().hinted, 4 * ROUNDS * MARKED);
	assert_int_equal(failures, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_round_frees_what_is_hinted),
		TEST(what_is_used_again_survives),
		TEST(what_is_cleared_goes),
		TEST(what_a_device_holds_survives),
		TEST(pages_without_their_number_are_no_hints),
		TEST(a_storm_of_numbers_is_ignored),
		TEST(a_reset_ends_the_round),
		TEST(queues_are_told_by_their_order),
		TEST(nothing_written_in_a_round_is_lost),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
