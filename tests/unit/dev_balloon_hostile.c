/* SPDX-License-Identifier: MIT */
/* The balloon beside vCPUs at work, and asked for everything: cases D6, D10 and
 * D12 of docs/hostile.md. Threads of the test stand for vCPUs. */
#include "tests/unit/balloon_fixture.h"

#define VCPUS  4
#define ROUNDS 200

/* What a vCPU finds in a page is zeros or what was last written there: each
 * has one word for each page, and a line of 64 bytes for it. */
struct toucher {
	pthread_t thread;
	unsigned index;
	uint64_t found[3]; /* words: its own, zeros, anything else */
};

static pthread_barrier_t begun; /* everybody has touched a page */
static _Atomic bool over;

static void touch(struct toucher *t, uint64_t page)
{
	volatile uint64_t *at = touchable(page) + 8 * (t->index + 1);
	const uint64_t mine = page << 32 | (t->index + 1);
	const uint64_t found = *at;

	t->found[found == mine ? 0 : !found ? 1 : 2]++;
	*at = mine;
}

static void *keep_touching(void *arg)
{
	struct toucher *t = arg;

	touch(t, FIRST + t->index);
	pthread_barrier_wait(&begun);
	for (unsigned i = t->index; !over; i++)
		touch(t, FIRST + i % MARKED);
	return NULL;
}

/* While @give is called ROUNDS times, VCPUS threads use the same pages. */
static void race(void (*give)(void))
{
	struct toucher t[VCPUS] = { 0 };

	over = false;
	pthread_barrier_init(&begun, NULL, VCPUS + 1);
	for (unsigned i = 0; i < VCPUS; i++) {
		t[i].index = i;
		pthread_create(&t[i].thread, NULL, keep_touching, &t[i]);
	}
	pthread_barrier_wait(&begun);
	for (unsigned i = 0; i < ROUNDS; i++)
		give();
	over = true;
	for (unsigned i = 0; i < VCPUS; i++) {
		pthread_join(t[i].thread, NULL);
		assert_int_equal(t[i].found[2], 0);
	}
	pthread_barrier_destroy(&begun);
}

static void inflate_all_marked(void)
{
	uint32_t pfn[MARKED];

	for (unsigned i = 0; i < MARKED; i++)
		pfn[i] = FIRST + i;
	inflate(pfn, MARKED);
}

static void report_all_marked(void)
{
	lend(BALLOON_REPORTING, FIRST << PAGE_SHIFT, MARKED * PAGE_SIZE,
	     VQ_DESC_WRITE);
}

/* D6 */
static void who_touches_what_is_given_finds_zeros_or_its_own(void **state)
{
	(void)state;
	use_queue(0);
	race(inflate_all_marked);
	assert_int_equal(report().inflated, ROUNDS * MARKED);
	assert_int_equal(report().skipped, 0);
	assert_int_equal(failures, 0);
}

/* D10: a driver that reports what it uses loses it, and nothing else; what a
 * device holds stays; the same once more frees nothing. */
static void a_report_of_pages_in_use_is_the_guests_loss(void **state)
{
	void *held;
	uint64_t discarded;

	(void)state;
	drive(BALLOON_REPORTING, BALLOON_F_REPORTING);
	race(report_all_marked);
	assert_int_equal(report().reported, ROUNDS * MARKED);
	assert_int_equal(word_of(FIRST + MARKED), 0); /* never written */
	put(FIRST << PAGE_SHIFT, &(uint64_t){ 7 }, 8);
	assert_int_equal(
		guest_pin(ram, (gpa_t){ FIRST << PAGE_SHIFT }, false, &held),
		0);
	report_all_marked();
	discarded = report().discarded;
	for (unsigned i = 0; i < 1000; i++)
		report_all_marked();
	assert_int_equal(report().discarded, discarded);
	guest_unpin(ram, (gpa_t){ FIRST << PAGE_SHIFT });
	assert_int_equal(word_of(FIRST), 7);
	assert_int_equal(failures, 0);
}

/* D12: every page there is, the queue and the list among them. The device ends
 * up with a queue of zeros; after a reset it works. */
static void all_of_ram_may_be_given(void **state)
{
	uint32_t pfn[128];

	(void)state;
	use_queue(0);
	for (unsigned i = 0; i < PAGES_2 / 2; i++) {
		pfn[i % 128] = PAGES_2 / 2 - 1 - i; /* from the top */
		if (i % 128 == 127 && i < PAGES_2 / 2 - 1)
			inflate(pfn, 128);
	}
	/* The last of them hold the queue: nothing is to be heard of them. */
	put(BUFFERS / 2, pfn, sizeof(pfn));
	put_desc(DESC, 0, BUFFERS / 2, sizeof(pfn), 0, 0);
	offer(QUEUE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	while (report().inflated != PAGES_2 / 2)
		;
	use_queue(0);
	assert_int_equal(word_of(FIRST), 0);
	put(FIRST << PAGE_SHIFT, &(uint64_t){ 7 }, 8);
	inflate((const uint32_t[]){ FIRST }, 1);
	assert_int_equal(word_of(FIRST), 0);
	assert_int_equal(report().skipped, 0);
	assert_int_equal(failures, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(who_touches_what_is_given_finds_zeros_or_its_own),
		TEST(a_report_of_pages_in_use_is_the_guests_loss),
		TEST(all_of_ram_may_be_given),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
