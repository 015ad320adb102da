/* SPDX-License-Identifier: MIT */
/* The helper's side of a lane: every request ends once, and only those that a
 * server may have had are said to be touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/nbd/desk.h"

#define BYTES (16 * PAGE_SIZE) /* of the export */
#define UNTIL 1000 /* ms */

static uint8_t pages[NBD_LANE_BYTES];
static int tier; /* its end of the lane */
static struct desk desk;

static int lane_open(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return 1;
	tier = pair[0];
	desk_init(&desk, pair[1], pages);
	return 0;
}

static int lane_close(void **state)
{
	(void)state;
	close(desk.fd);
	return tier >= 0 ? close(tier) : 0;
}

static bool ask(const void *q, size_t bytes)
{
	assert_int_equal(send(tier, q, bytes, 0), bytes);
	return desk_hear(&desk, BYTES, UNTIL);
}

/* Three requests, in buffers 0, 1 and 5. */
static void ask_three(void)
{
	static const struct nbd_request q[] = { { 0, 0, NBD_READ },
						{ PAGE_SIZE, 1, NBD_WRITE },
						{ BYTES - PAGE_SIZE, 5,
						  NBD_READ } };

	assert_true(ask(q, sizeof(q)));
	assert_int_equal(desk.waiting, 0x23);
}

static unsigned answers(struct nbd_reply *reply)
{
	ssize_t n;

	assert_true(desk_answer(&desk));
	n = recv(tier, reply, NBD_BUFFERS * sizeof(*reply), MSG_DONTWAIT);
	return n < 0 ? 0 : (unsigned)n / sizeof(*reply);
}

static void send_it(unsigned i)
{
	desk.waiting &= ~desk.task[i].bit;
	desk.sent |= desk.task[i].bit;
	desk.task[i].touched = true;
}

static void a_batch_is_answered_when_it_is_done(void **state)
{
	struct nbd_reply reply[NBD_BUFFERS];

	(void)state;
	ask_three();
	assert_ptr_equal(desk.task[5].page, pages + 5 * PAGE_SIZE);
	assert_int_equal(desk.task[5].at, BYTES - PAGE_SIZE);
	assert_int_equal(desk.task[1].way, NBD_WRITE);
	for (unsigned i = 0; i < 2; i++) {
		send_it(i);
		desk_done(&desk.task[i], i ? -EIO : 0);
	}
	assert_int_equal(answers(reply), 0);
	desk_done(&desk.task[5], 0);
	assert_int_equal(answers(reply), 3);
	assert_int_equal(reply[1].buffer, 1);
	assert_int_equal(reply[1].error, -EIO);
	assert_int_equal(reply[1].untouched, 0);
	assert_int_equal(reply[2].buffer, 5);
	assert_int_equal(reply[2].error, 0);
	assert_int_equal(answers(reply), 0);
	ask_three(); /* the buffers are free again */
}

static void what_was_sent_is_sent_again(void **state)
{
	(void)state;
	ask_three();
	send_it(1);
	assert_int_equal(desk.waiting, 0x21);
	desk_recall(&desk);
	assert_int_equal(desk.waiting, 0x23);
	assert_int_equal(desk.sent, 0);
	assert_true(desk.task[1].touched);
}

static void what_is_late_ends(void **state)
{
	struct nbd_reply reply[NBD_BUFFERS];

	(void)state;
	ask_three();
	send_it(1);
	assert_false(desk_is_late(&desk, UNTIL - 1));
	desk_time_out(&desk, UNTIL - 1);
	assert_int_equal(desk.done, 0);
	assert_true(desk_is_late(&desk, UNTIL));
	desk_recall(&desk);
	desk_time_out(&desk, UNTIL);
	assert_int_equal(answers(reply), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(reply[i].error, -ETIMEDOUT);
		assert_int_equal(reply[i].untouched, reply[i].buffer != 1);
	}
	assert_false(desk_is_late(&desk, INT64_MAX));
}

static void a_wrong_export_fails_what_waits(void **state)
{
	struct nbd_reply reply[NBD_BUFFERS];

	(void)state;
	ask_three();
	desk_fail(&desk, -EROFS);
	assert_int_equal(answers(reply), 3);
	assert_int_equal(reply[0].error, -EROFS);
	assert_int_equal(reply[0].untouched, 1);
}

static void nonsense_is_refused(void **state)
{
	static const struct nbd_request bad[] = {
		{ 0, NBD_BUFFERS, NBD_READ },
		{ 0, UINT32_MAX, NBD_READ },
		{ BYTES, 2, NBD_READ },
		{ BYTES - PAGE_SIZE + 1, 2, NBD_WRITE },
		{ UINT64_MAX, 2, NBD_WRITE },
		{ 0, 1, NBD_READ }, /* under way already */
	};

	(void)state;
	ask_three();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ask(&bad[i], sizeof(bad[i])));
	assert_false(ask(bad, sizeof(bad[0]) - 1));
	assert_int_equal(desk.waiting, 0x23);
	assert_true(desk_hear(&desk, BYTES, UNTIL)); /* nothing is no harm */
	close(tier);
	tier = -1;
	assert_false(desk_hear(&desk, BYTES, UNTIL));
	desk_fail(&desk, 0);
	assert_false(desk_answer(&desk));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, lane_open, lane_close)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_batch_is_answered_when_it_is_done),
		TEST(what_was_sent_is_sent_again),
		TEST(what_is_late_ends),
		TEST(a_wrong_export_fails_what_waits),
		TEST(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("nbd desk", tests, NULL, NULL);
}
