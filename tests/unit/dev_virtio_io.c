/* SPDX-License-Identifier: MIT */
/*
 * What the transport's thread is told, and when: queues, kicks, interrupts and
 * resets. The cases are those of docs/hostile.md.
 */
#include <poll.h>

#include "tests/unit/fake_fixture.h"

/* B8: the queue is the one it was when it became ready. */
static void a_ready_queue_is_latched(void **state)
{
	(void)state;
	clear_queue();
	negotiate(0);
	set_queue(0, SIZE);
	set(VIRTIO_QUEUE_NUM, 1);
	set_address(VIRTIO_QUEUE_DRIVER_LOW, HOLE);
	set(VIRTIO_QUEUE_READY, 2); /* no such value */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
	driver_ok();
	set(VIRTIO_QUEUE_READY, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
	set_address(VIRTIO_QUEUE_DEVICE_LOW, HOLE);
	set_queue(1, SIZE); /* too late */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	put_desc(DESC, 3, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 3);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
	assert_int_equal(used_entry(0).head, 3);
}

/* Linux takes its queues back when it cannot use all of them. */
static void a_queue_is_taken_back(void **state)
{
	(void)state;
	clear_queue();
	negotiate(0);
	set_queue(0, SIZE);
	set(VIRTIO_QUEUE_READY, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	set_queue(0, SIZE / 2);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 1);
}

/* B5 */
static void kicks_at_the_wrong_time(void **state)
{
	(void)state;
	set(VIRTIO_QUEUE_NOTIFY, 0);
	negotiate(0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(fake.queues, 0);
	bring_up(0, SIZE);
	set(VIRTIO_QUEUE_NOTIFY, 1); /* not ready */
	set(VIRTIO_QUEUE_NOTIFY, 0xffffffff); /* not there */
	set(VIRTIO_STATUS, 0);
	fake.queues = 0;
	for (unsigned i = 0; i < 1000; i++)
		set(VIRTIO_QUEUE_NOTIFY, 0);
	set(VIRTIO_STATUS, 0);
	assert_int_equal(fake.queues, 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	usleep(20000); /* it sleeps again */
	set(VIRTIO_STATUS, reg(VIRTIO_STATUS) | VIRTIO_FAILED);
	put16(DRIVER + 2, SIZE + 1); /* nobody looks any more */
	set(VIRTIO_QUEUE_NOTIFY, 0);
	usleep(20000);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_FAILED);
}

/* B14 */
static void an_interrupt_lasts_until_it_is_acknowledged(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	wait_for_line();
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), VIRTIO_ISR_QUEUE);
	set(VIRTIO_INTERRUPT_ACK, ~VIRTIO_ISR_QUEUE);
	assert_int_equal(line_level(), 1);
	set(VIRTIO_INTERRUPT_ACK, 0xffffffff);
	assert_int_equal(line_level(), 0);
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), 0);
}

/* C1 to C9 end here: one interrupt, one count, and a reset makes it good. */
static void nonsense_needs_a_reset(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put16(DRIVER + 2, SIZE + 1);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_NEEDS_RESET);
	assert_int_equal(dev->count.needs_reset, 1);
	fake.queues = 0;
	set(VIRTIO_QUEUE_NOTIFY, 0); /* it stands still */
	set(VIRTIO_STATUS, 0);
	assert_int_equal(fake.queues, 0);

	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0); /* C20: it begins at 0 again */
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
	assert_int_equal(dev->count.needs_reset, 1);
}

static void a_device_that_cannot_start(void **state)
{
	(void)state;
	fake.start_error = -EIO;
	bring_up(0, SIZE);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(VIRTIO_STATUS), 15 | VIRTIO_NEEDS_RESET);
	fake.start_error = 0;
}

static void a_reset_clears_everything(void **state)
{
	(void)state;
	bring_up(FEATURES, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	wait_for_line();
	set(VIRTIO_STATUS, 0);
	assert_int_equal(line_level(), 0);
	assert_int_equal(reg(VIRTIO_STATUS), 0);
	assert_int_equal(reg(VIRTIO_INTERRUPT_STATUS), 0);
	set(VIRTIO_QUEUE_SEL, 0);
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
	assert_int_equal(fake.resets, 1);
	set(VIRTIO_QUEUE_READY, 1); /* its size is gone */
	assert_int_equal(reg(VIRTIO_QUEUE_READY), 0);
}

/* Batches: of many requests by one kick the driver hears once; of many kicks
 * while the device is at work, the device. */
static void many_are_as_one(void **state)
{
	struct pollfd kick = { .fd = dev->kick, .events = POLLIN };
	const unsigned edges = line.edges;

	(void)state;
	fake.hold = true;
	bring_up(0, SIZE);
	while (!fake.queues)
		usleep(100);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	for (unsigned i = 0; i < SIZE / 2; i++)
		offer(SIZE, 0);
	for (unsigned i = 0; i < 1000; i++)
		set(VIRTIO_QUEUE_NOTIFY, 0);
	fake.queues = 0;
	fake.hold = false;
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), SIZE / 2);
	while (!fake.queues || poll(&kick, 1, 0))
		usleep(100);
	set(VIRTIO_STATUS, 0);
	assert_int_equal(fake.queues, 1);
	assert_int_equal(line.edges, edges + 1);
}

/* C14: 65,536 kicks and nothing in the queue: they are looked after together,
 * tell nobody anything, and the next request is served. */
static void a_storm_of_kicks(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	for (unsigned i = 0; i < 65536; i++)
		set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(line_level(), 0);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
	assert_int_equal(used_idx(), 1);
}

/* C15: a driver that never looks at what came back can have no more under way
 * than the queue holds; one more is nonsense. */
static void submitting_without_looking(void **state)
{
	(void)state;
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	for (unsigned round = 1; round <= 10; round++) {
		for (unsigned i = 0; i < SIZE; i++)
			offer(SIZE, 0);
		set(VIRTIO_QUEUE_NOTIFY, 0);
		while (used_idx() != round * SIZE)
			usleep(100);
	}
	assert_int_equal(dev->count.requests, 10 * SIZE);
	put16(DRIVER + 2, get16(DRIVER + 2) + SIZE + 1u);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	while (!(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET))
		usleep(100);
	assert_int_equal(dev->count.requests, 10 * SIZE);
}

/* A kind that always has more to do does not keep orders from being obeyed. */
static void endless_work_can_be_reset(void **state)
{
	(void)state;
	fake.says = VIRTIO_MORE;
	bring_up(0, SIZE);
	while (fake.queues < 100)
		usleep(100);
	set(VIRTIO_STATUS, 0);
	assert_false(fake.started);
	fake.says = VIRTIO_DONE;
}

/* B12, B13: resets and starts by several vCPUs at once, with kicks. */
static void *storm(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 500; i++) {
		negotiate(0);
		set_queue(0, SIZE);
		driver_ok();
		set(VIRTIO_QUEUE_NOTIFY, 0);
		reg(VIRTIO_INTERRUPT_STATUS);
	}
	return NULL;
}

static void storms_of_resets(void **state)
{
	pthread_t thread[4];

	(void)state;
	clear_queue();
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	for (unsigned i = 0; i < 5; i++)
		offer(SIZE, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, storm, NULL),
				 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	set(VIRTIO_STATUS, 0);
	assert_false(fake.started);
	bring_up(0, SIZE);
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 0);
	assert_int_equal(interrupt(), VIRTIO_ISR_QUEUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ready_queue_is_latched),
		TEST(a_queue_is_taken_back),
		TEST(kicks_at_the_wrong_time),
		TEST(an_interrupt_lasts_until_it_is_acknowledged),
		TEST(nonsense_needs_a_reset),
		TEST(a_device_that_cannot_start),
		TEST(a_reset_clears_everything),
		TEST(many_are_as_one),
		TEST(a_storm_of_kicks),
		TEST(submitting_without_looking),
		TEST(endless_work_can_be_reset),
		TEST(storms_of_resets),
	};

	return cmocka_run_group_tests(tests, make_ram, free_ram);
}
